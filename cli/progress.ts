import { SingleBar } from "cli-progress";
import { durationText } from "../mod.ts";
import type { Terminal } from "./command.ts";

/** What every pipeline's event has, as far as the progress of a run goes. */
export interface RunEvent {
  readonly kind: string;
  /** Steps done. */
  readonly step?: number;
  /** Steps of the whole run. */
  readonly steps?: number;
  readonly losses?: Readonly<Record<string, number>>;
  readonly imagesPerSecond?: number;
  readonly etaSeconds?: number;
}

/** Shows the events of a run. */
export interface Progress {
  show(event: RunEvent): void;
  /** A line between two states of the bar. */
  note(line: string): void;
  /** Gives the terminal back. */
  stop(): void;
}

/** Time between two lines where no bar can be drawn. */
const LINE_MS = 2000;
const BAR_COLUMNS = 20;

/** `120/400 | 31.2 images/s | 1 min 20 s left | pixel 0.0123 wavelet 0.0456` */
export function progressText(
  { step = 0, imagesPerSecond, etaSeconds, losses }: RunEvent,
  steps: number | undefined,
): string {
  return [
    steps === undefined ? `${step}` : `${step}/${steps}`,
    imagesPerSecond !== undefined && `${imagesPerSecond.toPrecision(3)} images/s`,
    etaSeconds !== undefined && `${durationText(etaSeconds)} left`,
    losses && Object.entries(losses).map(([name, x]) => `${name} ${x.toPrecision(3)}`).join(" "),
  ].filter(Boolean).join(" | ");
}

/** An event as one line of JSON: numbers and texts, no tensors, weights or pictures. */
export function eventLine(event: RunEvent): string {
  return JSON.stringify(event, (_key, value) => {
    if (ArrayBuffer.isView(value) || typeof value === "function") return undefined;
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    const kept = Object.entries(value).filter(([, inner]) => !isBulk(inner));
    return Object.fromEntries(kept);
  });
}

/** Whether a value holds arrays of numbers that only a program can use. */
function isBulk(value: unknown): boolean {
  if (ArrayBuffer.isView(value)) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(isBulk);
}

/** Prints events as JSON: for programs. */
function jsonProgress(terminal: Terminal): Progress {
  return {
    show: (event) => terminal.print(eventLine(event)),
    note() {},
    stop() {},
  };
}

/** One line now and then: for logs. */
function lineProgress(terminal: Terminal): Progress {
  let steps: number | undefined;
  let shown = -Infinity;
  let waiting: RunEvent | undefined;
  const flush = () => {
    if (waiting) terminal.warn(`step ${progressText(waiting, steps)}`);
    waiting = undefined;
  };
  return {
    show(event) {
      steps = event.steps ?? steps;
      if (event.kind !== "step") return;
      waiting = event;
      if (terminal.now() - shown < LINE_MS) return;
      shown = terminal.now();
      flush();
    },
    note(line) {
      flush();
      terminal.warn(line);
    },
    stop: flush,
  };
}

/** A bar that redraws itself: for people. */
function barProgress(terminal: Terminal, stream: NodeJS.WritableStream): Progress {
  const bar = new SingleBar({
    format: "{bar} {text}",
    barsize: BAR_COLUMNS,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    hideCursor: true,
    linewrap: false,
    stream,
  });
  let state: { steps: number; step: number; text: string } | undefined;
  let isDrawn = false;
  const draw = () => {
    if (!state) return;
    if (isDrawn) bar.update(state.step, { text: state.text });
    else bar.start(state.steps, state.step, { text: state.text });
    isDrawn = true;
  };
  const stop = () => {
    if (isDrawn) bar.stop();
    isDrawn = false;
  };
  return {
    show(event) {
      const steps = event.steps ?? state?.steps;
      if (event.kind !== "step" || steps === undefined) {
        if (steps !== undefined) state = { steps, step: event.step ?? 0, text: "" };
        return;
      }
      state = { steps, step: event.step ?? 0, text: progressText(event, steps) };
      draw();
    },
    note(line) {
      stop();
      terminal.warn(line);
    },
    stop,
  };
}

/** The way of showing a run that fits the options and the terminal. */
export function createProgress(
  terminal: Terminal,
  { json, quiet }: { readonly json: boolean; readonly quiet: boolean },
): Progress {
  if (json) return jsonProgress(terminal);
  if (quiet) return { show() {}, note() {}, stop() {} };
  return terminal.bar ? barProgress(terminal, terminal.bar) : lineProgress(terminal);
}
