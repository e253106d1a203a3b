/**
 * What an ablation reports while it runs.
 *
 * @module
 */
import type { Chart } from "../io/chart.ts";
import type { Quality } from "./ablate/measures.ts";
import type { AblationRow, VariantSummary } from "./ablate/table.ts";
import type { Variant } from "./ablate/variants.ts";

/** The ablation begins, or goes on. */
export interface AblationStartEvent {
  /** Which event this is. */
  readonly kind: "ablationStart";
  /** The folder of everything that is written. */
  readonly out: string;
  /** The base first. */
  readonly variants: readonly Variant[];
  /** Every variant is distilled once per seed. */
  readonly seeds: readonly number[];
  /** Runs that an earlier process finished. */
  readonly done: number;
  /** Sentences worth reading. */
  readonly notes: readonly string[];
}

/** Something goes on; at most twice a second. */
export interface AblationStepEvent {
  /** Which event this is. */
  readonly kind: "ablationStep";
  /** Steps done, of all runs together. */
  readonly step: number;
  /** Steps of all runs together. */
  readonly steps: number;
  /** Time that is left, at the pace so far. */
  readonly etaSeconds: number;
  /** The runs that are under way. */
  readonly running: readonly string[];
}

/** A run began, ended, or failed. */
export interface AblationRunEvent {
  /** Which event this is. */
  readonly kind: "ablationRun";
  /** Variant and seed: `head-skip-seed-0`. */
  readonly id: string;
  /** Name of the variant. */
  readonly variant: string;
  /** The run's seed. */
  readonly seed: number;
  /** `stopped`: it has a checkpoint and goes on the next time. */
  readonly state: "started" | "finished" | "failed" | "stopped";
  /** Of a finished run. */
  readonly quality?: Quality;
  /** Of a failed run. */
  readonly error?: string;
  /** The results so far. */
  readonly summaries: readonly VariantSummary[];
}

/** The ablation is over: finished, or stopped. */
export interface AblationEndEvent {
  /** Which event this is. */
  readonly kind: "ablationEnd";
  /** Whether every run has a result or failed. */
  readonly finished: boolean;
  /** One row per run. */
  readonly rows: readonly AblationRow[];
  /** One per variant. */
  readonly summaries: readonly VariantSummary[];
  /** The table as Markdown. */
  readonly path: string;
  /** What the table says, drawn. */
  readonly charts: readonly Chart[];
}

/** Every event of an ablation. */
export type AblationEvent =
  | AblationStartEvent
  | AblationStepEvent
  | AblationRunEvent
  | AblationEndEvent;
