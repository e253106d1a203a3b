/** How long it takes until a first run is done. @module */
import type { Result } from "./result.ts";
import { titleOf } from "./summary.ts";
import { table } from "./table.ts";

/** A line per workload and contestant: what goes before the first run, and that run with it. */
export function startTable(results: readonly Result[]): string[] {
  const seconds = (ms: number | undefined) => ms === undefined ? "" : (ms / 1000).toFixed(2);
  const rows = results.map((result) => {
    const { phases, contestant, startMs, peakMb } = result;
    return [
      titleOf(result),
      contestant,
      seconds(phases?.trace),
      seconds(phases?.lower),
      seconds(phases?.open),
      seconds(phases?.together),
      seconds(startMs),
      peakMb.toFixed(0),
    ];
  });
  return table(
    [
      "workload",
      "on",
      "trace s",
      "lower s",
      "open s",
      "start s",
      "with the first run s",
      "peak MB",
    ],
    rows,
  );
}
