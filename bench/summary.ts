/** What is printed of results. @module */
import { gigabytesPerSecond } from "./layers.ts";
import { cpuMsOf, flopsOf, msOf, type Result } from "./result.ts";
import { type Clock, median, ratioOf, type Spread, spreadOf, spreadText } from "./spread.ts";
import { table } from "./table.ts";

/** Names a workload with its sizes. */
export const titleOf = ({ scenario, workload }: Result) =>
  [scenario, workload].filter(Boolean).join(": ");

/** Whether two contestants computed the same, as far as their precision goes. */
export function agrees(a: Result, b: Result): boolean {
  const loose = [a, b].some(({ contestant }) => contestant.includes("bf16"));
  const difference = Math.abs(a.value - b.value);
  return difference <= (loose ? 0.05 : 1e-3) * Math.max(1e-3, Math.abs(a.value));
}

/** Milliseconds of its runs; of the first if there is no other. */
const timesOf = (result: Result) => result.rounds.length ? msOf(result) : [result.startMs];

/** The results of one workload, one line per contestant. */
export function workloadLines(results: readonly Result[]): string[] {
  const [first] = results;
  if (!first) return [];
  const lines = results.map((result) => {
    const { median: middle, least, most } = spreadOf(timesOf(result));
    const spread = `${middle.toFixed(1)} ms (${least.toFixed(1)} to ${most.toFixed(1)})`;
    const doubt = agrees(first, result)
      ? ""
      : `  differs: ${result.value} instead of ${first.value}`;
    return `  ${result.contestant.padEnd(20)} ${spread}${doubt}`;
  });
  return [titleOf(first), ...lines];
}

/** How many times as fast as each reference, by its name. */
export function ratiosOf(
  result: Result,
  group: readonly Result[],
  clock: Clock,
): Readonly<Record<string, Spread>> {
  const references = Map.groupBy(
    group.filter(({ reference }) => reference !== undefined),
    ({ reference }) => reference!,
  );
  return Object.fromEntries(
    [...references].flatMap(([name, instances]) => {
      const ratio = ratioOf(result, instances, clock);
      return ratio ? [[name, ratio]] : [];
    }),
  );
}

/** Results that can be compared. */
export function groupsOf(results: readonly Result[]): Result[][] {
  return [...Map.groupBy(results, titleOf).values()];
}

/** All results as a table; a column of ratios per reference. */
export function summary(results: readonly Result[], clock: Clock = "ms"): string[] {
  const references = [...new Set(results.flatMap(({ reference }) => reference ?? []))];
  const rows = groupsOf(results).flatMap((group) => {
    const flops = Math.max(...group.map(flopsOf));
    return group.map((result) => {
      const ratios = ratiosOf(result, group, clock);
      const cells = references.map((name) => ratios[name] ? spreadText(ratios[name]) : "");
      return [...row(result, flops), ...cells];
    });
  });
  const head = ["workload", "on", "ms", "processor ms", "GFLOP/s", "start s", "peak MB"];
  return table([...head, ...references.map((name) => `times ${name}`)], rows);
}

function row(result: Result, flops: number): string[] {
  const ms = median(msOf(result));
  const rate = result.workload === "copies"
    ? `${gigabytesPerSecond(ms).toFixed(1)} GB/s`
    : flops
    ? (flops / ms / 1e6).toFixed(0)
    : "";
  return [
    titleOf(result),
    result.contestant,
    ms.toFixed(1),
    median(cpuMsOf(result)).toFixed(1),
    rate,
    (Math.max(0, result.startMs - ms) / 1000).toFixed(1),
    result.peakMb.toFixed(0),
  ];
}

/** A step has hundreds of operations: their sum serves. */
function withoutOperations({ operations, ...result }: Result) {
  return { ...result, ...operations && { flops: flopsOf({ operations }) } };
}

/** All results with their ratios, for programs. */
export function resultsJson(results: readonly Result[], clock: Clock = "ms"): string {
  const made = groupsOf(results).flatMap((group) =>
    group.map((result) => ({
      ...withoutOperations(result),
      medianMs: median(timesOf(result)),
      ratios: ratiosOf(result, group, clock),
    }))
  );
  return `${JSON.stringify(made, null, 1)}\n`;
}
