/** Medians, and ratios of medians with their spread. @module */
import type { Result } from "./result.ts";

/** A median and the ends of what it was taken of. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** The one in the middle, or the mean of both. */
export function median(list: readonly number[]): number {
  const sorted = list.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

/** The median with the least and the most. */
export function spreadOf(list: readonly number[]): Spread {
  return { median: median(list), least: Math.min(...list), most: Math.max(...list) };
}

type Rounds = Pick<Result, "rounds">;

/** What is compared: real time, or processor time, which a busy machine does not lengthen much. */
export type Clock = "ms" | "cpuMs";

/**
 * How many times as fast as the references: of each round the median of the best reference divided
 * by the own median of the same round, so that what else the machine does counts on both sides.
 * `undefined` if no round has both.
 */
export function ratioOf(
  result: Rounds,
  references: readonly Rounds[],
  clock: Clock = "ms",
): Spread | undefined {
  const ratios = result.rounds.flatMap((own, round) => {
    const others = references.flatMap(({ rounds }) => rounds[round] ?? []);
    const best = Math.min(...others.map((other) => median(other[clock])));
    return others.length ? [best / median(own[clock])] : [];
  });
  return ratios.length ? spreadOf(ratios) : undefined;
}

/** `1.71 (1.65-1.80)`. */
export function spreadText({ median, least, most }: Spread, digits = 2): string {
  const [middle, low, high] = [median, least, most].map((number) => number.toFixed(digits));
  return low === high ? middle! : `${middle} (${low}-${high})`;
}
