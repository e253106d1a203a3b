import type { EndEvent, TrainingEvent } from "../mod.ts";
import type { Context, Options } from "./command.ts";
import { createProgress } from "./progress.ts";

/** Options of every command that shows a run. */
export const RUN_OPTIONS = {
  out: { type: "text", value: "DIR", help: "folder of the run; runs/NAME by default" },
  restart: { type: "flag", help: "forget the run in that folder and start over" },
  json: { type: "flag", help: "print every event as a line of JSON" },
  quiet: { type: "flag", help: "show no progress" },
} as const satisfies Options;

/** `meanImagePsnrDb` as people say it: `mean image PSNR`, and its unit. */
function wordsOf(name: string): { readonly words: string; readonly unit: string } {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).split(" ");
  const unit = words.at(-1) === "db" ? " dB" : "";
  return {
    words: (unit ? words.slice(0, -1) : words).join(" ").replace(/\bpsnr\b/, "PSNR"),
    unit,
  };
}

/** Figures by name, as a line: `PSNR 21.34 dB, mean image PSNR 15.02 dB`. */
function figures(values: Readonly<Record<string, number | string>>): string {
  return Object.entries(values)
    .map(([name, value]) => {
      const { words, unit } = wordsOf(name);
      return `${words} ${typeof value === "number" ? shorten(value) : value}${unit}`;
    })
    .join(", ");
}

function shorten(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

/** What is worth a line of its own in an event. */
function noteOf(event: TrainingEvent<unknown>): string | undefined {
  if (event.kind === "start") {
    const what = event.step >= event.steps
      ? `complete at step ${event.step} in ${event.run} (a longer run goes on, --restart starts over)`
      : `${event.step > 0 ? `from step ${event.step} ` : ""}to step ${event.steps} in ${event.run}`;
    return [what, ...event.notes].join("; ");
  }
  if (event.kind === "sample") {
    const measured = figures(event.measures);
    return `sample ${event.path}${measured ? `: ${measured}` : ""}`;
  }
  return event.kind === "checkpoint" ? `checkpoint ${event.path}` : undefined;
}

/**
 * Runs a pipeline to its end and shows its events; a Ctrl-C has made it write a checkpoint, and the
 * last line says how to go on.
 */
export async function runPipeline<Network>(
  events: AsyncIterable<TrainingEvent<Network>>,
  values: { readonly json: boolean; readonly quiet: boolean },
  { terminal, signal, again }: Context,
): Promise<void> {
  const progress = createProgress(terminal, values);
  const interrupted = () =>
    progress.note("Stopping after this step to write a checkpoint; Ctrl-C again stops at once");
  let run: string | undefined;
  let dir: string | undefined; // once there is something in it
  let step = 0;
  let end: EndEvent<Network> | undefined;
  signal.addEventListener("abort", interrupted);
  try {
    for await (const event of events) {
      if (event.kind === "start") run = event.run;
      if (event.kind !== "start" || event.step > 0) dir = run;
      if (event.kind === "end") end = event;
      else step = event.step;
      progress.show(event);
      const note = noteOf(event);
      if (note) progress.note(note);
    }
  } catch (error) {
    if (!signal.aborted || !(error instanceof Error) || error.name !== "AbortError") throw error;
  } finally {
    signal.removeEventListener("abort", interrupted);
    progress.stop();
  }
  if (signal.aborted) {
    terminal.warn(
      dir === undefined
        ? `Stopped before the first step; the same command starts again: ${again}`
        : `Stopped at step ${step}, checkpoint in ${dir}; the same command goes on from there: ${again}`,
    );
  } else if (end && !values.json) {
    terminal.print(`Wrote ${end.path} after ${end.step} steps (${shorten(end.kimg)} kimg)`);
    for (const [name, value] of Object.entries(end.summary)) {
      terminal.print(`  ${figures({ [name]: value })}`);
    }
  }
}
