/**
 * Shows values one after another in one place: a notebook, or files and lines.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../core/contracts.ts";
import { type Chart, chart, type ChartOptions, type Panel } from "../io/chart.ts";
import type { ImageGridOptions } from "../io/png.ts";
import type { AblationEvent } from "../pipelines/ablate_events.ts";
import type { TrainingEvent } from "../pipelines/events.ts";
import { createLineAblationDisplay, createNotebookAblationDisplay } from "./ablation_display.ts";
import type { MimeBundle } from "./kernel.ts";
import { gridOf, isPng, pngBundle } from "./picture.ts";
import { createStopButton, type StopButton } from "./stop.ts";
import type { Surroundings } from "./surroundings.ts";
import { htmlTable, markdownTable, type Row } from "./table.ts";
import {
  chartBundle,
  createLineTrainingDisplay,
  createNotebookTrainingDisplay,
  type EventDisplay,
} from "./training_display.ts";

/** What {@linkcode show} can show. */
export type Showable =
  | HostArray
  | tf.Tensor
  | Uint8Array
  | Chart
  | ChartOptions
  | Panel
  | readonly Row[]
  | string
  | TrainingEvent<unknown>
  | AblationEvent;

/** How {@linkcode show} shows. */
export interface ShowOptions extends ImageGridOptions {
  /** Name of the file that is written, without its ending; `images`, `plot` or `table` if absent. */
  readonly name?: string;
}

/** Shows values; keeps what a running training has shown so far. */
export interface Presenter {
  readonly surroundings: Surroundings;
  readonly stopButton: StopButton;
  show(value: Showable | Promise<Showable>, options?: ShowOptions): Promise<void>;
}

/* The kernel says that a cell is done while its last outputs still wait to be sent; front ends drop
 * what comes after that. */
const SETTLE_MS = 50;

/** One thing to show: in a cell, and as a file. */
interface Shown {
  /** What it is, if nobody named it. */
  readonly name: string;
  readonly bundle: () => MimeBundle | Promise<MimeBundle>;
  /** Contents by the ending of the file's name; the first is what a line names. */
  readonly files: () => Promise<Readonly<Record<string, Uint8Array | string>>>;
  /** Files that are written in a notebook as well. */
  readonly kept?: readonly string[];
}

function refuse(value: unknown): never {
  const received = value === null || typeof value !== "object"
    ? String(value)
    : `an object with ${Object.keys(value).slice(0, 6).join(", ") || "no keys"}`;
  throw new TypeError(
    `Cannot show a value: expected images, a PNG, a chart, rows of a table, a text or an event of a pipeline but received ${received}`,
  );
}

const has = <Key extends string>(value: object, ...keys: Key[]): value is Record<Key, unknown> =>
  keys.every((key) => key in value);

function shownImages(images: HostArray, options: ShowOptions): Shown {
  const grid = gridOf(images, options);
  return {
    name: "images",
    bundle: async () => pngBundle(await grid, `images [${images.shape}]`),
    files: async () => ({ png: await grid }),
  };
}

function shownChart(drawn: Promise<Chart>, { theme }: Surroundings): Shown {
  return {
    name: "plot",
    bundle: async () => chartBundle(await drawn, { theme }),
    files: async () => ({ png: (await drawn).png({ theme }), svg: (await drawn).svg }),
    kept: ["svg"],
  };
}

function shownTable(rows: readonly Row[]): Shown {
  const text = markdownTable(rows);
  return {
    name: "table",
    bundle: () => ({ data: { "text/html": htmlTable(rows), "text/plain": text } }),
    files: () => Promise.resolve({ md: `${text}\n` }),
  };
}

/** A panel alone stands higher than among others. */
const PANEL_HEIGHT_PX = 280;

function shownOf(value: Exclude<Showable, string>, options: ShowOptions, at: Surroundings): Shown {
  if (value === null || typeof value !== "object") refuse(value);
  if (value instanceof Uint8Array) {
    if (!isPng(value)) refuse(`${value.length} bytes that are no PNG`);
    return {
      name: "image",
      bundle: () => pngBundle(value, "image"),
      files: () => Promise.resolve({ png: value }),
    };
  }
  if (Array.isArray(value)) {
    const isTable = value.length > 0 && value.every((row) => typeof row === "object" && row);
    return isTable ? shownTable(value) : refuse(value);
  }
  if (has(value, "svg", "png")) return shownChart(Promise.resolve(value as unknown as Chart), at);
  if (has(value, "panels")) return shownChart(chart(value as unknown as ChartOptions), at);
  if (has(value, "plot")) {
    const { title = "", ...panel } = value as unknown as Panel;
    return shownChart(chart({ title, panels: [panel], panelHeightPx: PANEL_HEIGHT_PX }), at);
  }
  if (has(value, "shape")) {
    const { shape, data } = value as unknown as HostArray;
    if (data instanceof Float32Array) return shownImages({ shape, data }, options);
    if (has(value, "dataSync")) {
      const numbers = (value as unknown as tf.Tensor).dataSync();
      return shownImages({ shape, data: Float32Array.from(numbers) }, options);
    }
  }
  return refuse(value);
}

const TRAINING_KINDS: readonly string[] = ["start", "step", "sample", "checkpoint", "end"];
const ABLATION_KINDS: readonly string[] = [
  "ablationStart",
  "ablationStep",
  "ablationRun",
  "ablationEnd",
];

function isKind<Event>(value: unknown, kinds: readonly string[]): value is Event {
  return typeof value === "object" && value !== null && has(value, "kind") &&
    kinds.includes(String(value.kind));
}

/** The displays of the two pipelines that report at length. */
interface Displays {
  training?: EventDisplay<TrainingEvent<unknown>>;
  ablation?: EventDisplay<AblationEvent>;
}

/** Makes a presenter for some surroundings. */
export function createPresenter(surroundings: Surroundings): Presenter {
  const { kernel, folder, print, write, sleep } = surroundings;
  const stopButton = createStopButton();
  const counts = new Map<string, number>();
  let runs = 0;
  const displays: Displays = {};

  const pathOf = (name: string) => {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return `${folder}/${name}${count > 1 ? `-${count}` : ""}`;
  };
  const inNotebook = () => ({ kernel: kernel!, surroundings, id: `haarlem-${++runs}` });
  const showTraining = (event: TrainingEvent<unknown>) => {
    if (event.kind === "start" || !displays.training) {
      displays.training = kernel
        ? createNotebookTrainingDisplay(inNotebook())
        : createLineTrainingDisplay(surroundings);
    }
    return displays.training.show(event);
  };
  const showAblation = (event: AblationEvent) => {
    if (event.kind === "ablationStart" || !displays.ablation) {
      displays.ablation = kernel
        ? createNotebookAblationDisplay(inNotebook())
        : createLineAblationDisplay(surroundings);
    }
    return displays.ablation.show(event);
  };
  /** Stop counts from a run's start to its end. */
  const heedStop = async (kind: string) => {
    if (/^(start|ablationStart|end|ablationEnd)$/.test(kind)) stopButton.release();
    if (/^(step|ablationStep)$/.test(kind)) stopButton.check();
    if (/^(end|ablationEnd)$/.test(kind) && kernel) await sleep(SETTLE_MS);
  };

  return {
    surroundings,
    stopButton,
    async show(promised, options = {}) {
      const value = await promised;
      if (isKind<TrainingEvent<unknown>>(value, TRAINING_KINDS)) {
        await showTraining(value);
        return await heedStop(value.kind);
      }
      if (isKind<AblationEvent>(value, ABLATION_KINDS)) {
        await showAblation(value);
        return await heedStop(value.kind);
      }
      if (typeof value === "string") {
        if (!kernel) return print(value);
        await kernel.add({ data: { "text/markdown": value, "text/plain": value } });
        return await sleep(SETTLE_MS);
      }
      const shown = shownOf(value, options, surroundings);
      const kept = kernel ? shown.kept ?? [] : undefined;
      if (kept?.length !== 0) {
        const path = pathOf(options.name ?? shown.name);
        const files = Object.entries(await shown.files());
        for (const [ending, content] of files) {
          if (!kept || kept.includes(ending)) await write(`${path}.${ending}`, content);
        }
        if (!kernel) print(`Wrote ${path}.${files.map(([ending]) => ending).join(" and .")}`);
      }
      if (!kernel) return;
      await kernel.add(await shown.bundle());
      await sleep(SETTLE_MS);
    },
  };
}
