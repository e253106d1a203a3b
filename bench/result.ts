/** What was measured. @module */
import type { Phases, Timing } from "./contestant.ts";
import type { OperationCost } from "./flops.ts";

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
  /** What each operation of a run must do at least, where it is counted. */
  readonly operations?: readonly OperationCost[];
  /** Bytes that one kernel for everything must move at least, where they are counted. */
  readonly outerBytes?: number;
  /** All runs but the first, kept apart by round. */
  readonly rounds: readonly Pick<Timing, "ms" | "cpuMs">[];
}

/** Milliseconds of all runs. */
export const msOf = ({ rounds }: Pick<Result, "rounds">) => rounds.flatMap(({ ms }) => ms);
/** Milliseconds of processor time of all runs. */
export const cpuMsOf = ({ rounds }: Pick<Result, "rounds">) => rounds.flatMap(({ cpuMs }) => cpuMs);
/** Floating-point operations of a run; 0 where they are not counted. */
export const flopsOf = ({ operations = [] }: Pick<Result, "operations">) =>
  operations.reduce((sum, { flops }) => sum + flops, 0);
