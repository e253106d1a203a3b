/** What was measured. @module */
import type { Timing } from "./contestant.ts";

/** What one contestant did with one workload. */
export interface Result {
  readonly workload: string;
  /** Empty for kernels and layers. */
  readonly scenario: string;
  readonly contestant: string;
  readonly name: string;
  readonly peer: boolean;
  /** The first run: tracing and making sessions, besides what any run takes. */
  readonly startMs: number;
  readonly timing: Timing;
}

/** From least to most. */
export const sorted = (list: readonly number[]) => list.toSorted((a, b) => a - b);
/** The one in the middle. */
export const median = (list: readonly number[]) => sorted(list)[list.length >> 1]!;
