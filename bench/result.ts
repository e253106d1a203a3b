/** What was measured. @module */
import type { Phases, Timing } from "./contestant.ts";

/** What one contestant did with one workload. */
export interface Result {
  readonly workload: string;
  /** Empty for kernels and layers. */
  readonly scenario: string;
  readonly contestant: string;
  readonly name: string;
  /** What it is an instance of, to compare others with; the best instance of a round counts. */
  readonly reference?: string;
  /** The first run: tracing and making sessions, besides what any run takes. */
  readonly startMs: number;
  /** What went before the first run, where it is known. */
  readonly phases?: Phases;
  /** What the first run computed. */
  readonly value: number;
  /** Largest resident memory of the process, in MB. */
  readonly peakMb: number;
  /** Floating-point operations of a run, where they are counted. */
  readonly flops?: number;
  /** Bytes that a run must move at least, where they are counted. */
  readonly bytes?: number;
  /** All runs but the first, kept apart by round. */
  readonly rounds: readonly Pick<Timing, "ms" | "cpuMs">[];
}

/** Milliseconds of all runs. */
export const msOf = ({ rounds }: Pick<Result, "rounds">) => rounds.flatMap(({ ms }) => ms);
/** Milliseconds of processor time of all runs. */
export const cpuMsOf = ({ rounds }: Pick<Result, "rounds">) => rounds.flatMap(({ cpuMs }) => cpuMs);
