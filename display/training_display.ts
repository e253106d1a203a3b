/**
 * Shows a training run while it runs: bar, sample grid, curves.
 *
 * @module
 */
import type { Chart } from "../io/chart.ts";
import { lossCurves, psnrCurve } from "../io/plot.ts";
import { readRun } from "../io/run_files.ts";
import type { StartEvent, TrainingEvent } from "../pipelines/events.ts";
import { endText, eventText, startText, stepText } from "./event_text.ts";
import type { Kernel, MimeBundle } from "./kernel.ts";
import { createLivePlace } from "./live_place.ts";
import { liveGridOf, pngBundle } from "./picture.ts";
import type { Surroundings } from "./surroundings.ts";

/** Shows events one after another. */
export interface EventDisplay<Event> {
  show(event: Event): Promise<void>;
}

const escapeHtml = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** A progress bar with lines of text, in the colours of the page. */
export function barBundle(
  { done, of, lines }: {
    readonly done: number;
    readonly of: number;
    readonly lines: readonly string[];
  },
): MimeBundle {
  const bar = `<progress value="${done}" max="${of}" style="width:100%"></progress>`;
  const text = lines.map((line) => `<div>${escapeHtml(line)}</div>`).join("");
  return {
    data: {
      "text/html": `<div style="max-width:920px">${bar}${text}</div>`,
      "text/plain": lines.join("\n"),
    },
  };
}

const CHART_SCALE = 2; // sharp on dense screens

/** A chart as an output. */
export function chartBundle(chart: Chart, { theme }: Pick<Surroundings, "theme">): MimeBundle {
  const [, title = "chart"] = /<title>(.*?)<\/title>/.exec(chart.svg) ?? [];
  return pngBundle(chart.png({ theme, scale: CHART_SCALE }), title, CHART_SCALE);
}

/** What a run that goes on reported before, for its curves. */
async function earlierEvents(
  { run, step }: StartEvent,
): Promise<readonly TrainingEvent<unknown>[]> {
  if (step === 0) return [];
  try {
    const { events } = await readRun(run);
    return events.filter(({ kind }) =>
      kind === "step" || kind === "sample"
    ) as unknown as TrainingEvent<unknown>[];
  } catch {
    return []; // the curves then begin where the run goes on
  }
}

/** Shows a run in the cell of a notebook: four outputs that change in place. */
export function createNotebookTrainingDisplay(
  { kernel, surroundings, id }: {
    readonly kernel: Kernel;
    readonly surroundings: Surroundings;
    /** Unique in the notebook's session. */
    readonly id: string;
  },
): EventDisplay<TrainingEvent<unknown>> {
  const place = (name: string) => createLivePlace(kernel, `${id}-${name}`, surroundings.now);
  const [bar, grid, curves, quality] = ["bar", "grid", "curves", "quality"].map(place) as [
    ReturnType<typeof place>,
    ReturnType<typeof place>,
    ReturnType<typeof place>,
    ReturnType<typeof place>,
  ];
  const past: TrainingEvent<unknown>[] = [];
  let start: StartEvent | undefined;
  const curveEvents = () => past as Parameters<typeof lossCurves>[0];
  const barOf = (done: number, line: string) =>
    barBundle({
      done,
      of: start?.steps ?? done,
      lines: [...start ? [startText(start)] : [], line],
    });

  return {
    async show(event) {
      if (event.kind === "start") start = event;
      if (event.kind === "step") past.push(event);
      if (event.kind === "sample") {
        // The images are for the grid; a run has many samples.
        past.push({ ...event, images: { shape: [0], data: new Float32Array() } });
      }
      switch (event.kind) {
        case "start":
          past.push(...await earlierEvents(event));
          await bar.offer(() => barOf(event.step, "the first step also compiles"));
          break;
        case "step":
          await bar.offer(() => barOf(event.step, stepText(event)));
          await curves.offer(async () =>
            chartBundle(await lossCurves(curveEvents()), surroundings)
          );
          break;
        case "sample": {
          const { images, columns, labels, path } = event;
          const options = { columns, ...labels && { labels } };
          await grid.offer(async () => pngBundle(await liveGridOf(images, options), path));
          if (!("psnrDb" in event.measures)) break;
          await quality.offer(async () =>
            chartBundle(await psnrCurve(curveEvents()), surroundings)
          );
          break;
        }
        case "end":
          await bar.offer(() => barOf(event.step, endText(event)));
          for (const each of [bar, grid, curves, quality]) await each.flush();
          break;
      }
    },
  };
}

const LINE_MS = 2000;

/** Shows a run as lines, those of steps now and then. */
export function createLineTrainingDisplay(
  { print, now }: Surroundings,
): EventDisplay<TrainingEvent<unknown>> {
  let next = -Infinity;
  return {
    // deno-lint-ignore require-await -- a display is asynchronous
    async show(event) {
      if (event.kind === "step") {
        if (now() < next && event.step !== event.steps) return;
        next = now() + LINE_MS;
      }
      const line = eventText(event);
      if (line !== undefined) print(line);
    },
  };
}
