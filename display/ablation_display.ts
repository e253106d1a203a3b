/**
 * Shows an ablation while it runs: bar, table, plots.
 *
 * @module
 */
import { durationText } from "../core/duration.ts";
import { tableOf, type VariantSummary } from "../pipelines/ablate/table.ts";
import type { AblationEvent, AblationRunEvent } from "../pipelines/ablate_events.ts";
import type { Kernel } from "./kernel.ts";
import { createLivePlace } from "./live_place.ts";
import type { Surroundings } from "./surroundings.ts";
import { htmlTable, markdownTable } from "./table.ts";
import { barBundle, chartBundle, type EventDisplay } from "./training_display.ts";

/** `finished head-skip-seed-0: PSNR 21.30 dB, SSIM 0.8312, SWD 10.2` */
function runText({ id, state, quality, error }: AblationRunEvent): string {
  const { psnrDb, ssim, swd } = quality ?? {};
  const result = quality
    ? `: PSNR ${psnrDb!.toFixed(2)} dB, SSIM ${ssim!.toFixed(4)}, SWD ${swd!.toFixed(1)}`
    : error
    ? `: ${error}`
    : "";
  return `${state} ${id}${result}`;
}

function tableBundle(summaries: readonly VariantSummary[]) {
  const rows = tableOf(summaries);
  return { data: { "text/html": htmlTable(rows), "text/plain": markdownTable(rows) } };
}

/** Shows an ablation in the cell of a notebook. */
export function createNotebookAblationDisplay(
  { kernel, surroundings, id }: {
    readonly kernel: Kernel;
    readonly surroundings: Surroundings;
    /** Unique in the notebook's session. */
    readonly id: string;
  },
): EventDisplay<AblationEvent> {
  const place = (name: string) => createLivePlace(kernel, `${id}-${name}`, surroundings.now);
  const [bar, table] = [place("bar"), place("table")];
  let title = "";
  let progress = { done: 0, of: 1 };
  const drawBar = (line: string) => barBundle({ ...progress, lines: [title, line] });
  return {
    async show(event) {
      switch (event.kind) {
        case "ablationStart":
          title = [event.out, ...event.notes].join("; ");
          return await bar.offer(() => drawBar(""));
        case "ablationStep": {
          const { step, steps, etaSeconds, running } = event;
          progress = { done: step, of: steps };
          const line = `${durationText(etaSeconds)} left; ${running.join(", ")}`;
          return await bar.offer(() => drawBar(line));
        }
        case "ablationRun":
          await bar.offer(() => drawBar(runText(event)));
          if (event.state !== "finished") return;
          return await table.offer(() => tableBundle(event.summaries));
        case "ablationEnd": {
          if (event.finished) progress = { done: 1, of: 1 };
          const line = `${event.finished ? "finished" : "stopped"}; wrote ${event.path}`;
          await bar.offer(() => drawBar(line));
          await table.offer(() => tableBundle(event.summaries));
          for (const each of [bar, table]) await each.flush();
          for (const chart of event.charts) await kernel.add(chartBundle(chart, surroundings));
        }
      }
    },
  };
}

/** Shows an ablation as lines. */
export function createLineAblationDisplay({ print }: Surroundings): EventDisplay<AblationEvent> {
  return {
    // deno-lint-ignore require-await -- a display is asynchronous
    async show(event) {
      if (event.kind === "ablationStart") print([event.out, ...event.notes].join("; "));
      if (event.kind === "ablationRun") print(runText(event));
      if (event.kind === "ablationEnd") {
        print(`${event.finished ? "finished" : "stopped"}; wrote ${event.path}`);
      }
    },
  };
}
