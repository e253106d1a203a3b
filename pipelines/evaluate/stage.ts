import type { Engine } from "../../engine/mod.ts";
import type { ArrayCache } from "../../io/array_cache.ts";
import type { ResolvedEvaluateConfig } from "../evaluate_config.ts";
import type { ChosenMetric } from "./chosen_metrics.ts";
import type { Comparison } from "./comparisons.ts";
import type { EvaluationFeatures } from "./features.ts";
import type { Findings } from "./findings.ts";
import type { Measurement } from "./measurement.ts";
import type { RunningSubject, Subjects } from "./subjects.ts";
import type { Tick } from "./tracked.ts";

/** A piece of an evaluation. */
export interface Stage {
  /** For the progress: `images of the student`. */
  readonly name: string;
  /** How many units it ticks: images, or timed runs. */
  readonly units: number;
  run(tick: Tick): Promise<readonly Measurement[]>;
}

/** What all stages work with. */
export interface StageContext {
  readonly config: ResolvedEvaluateConfig;
  readonly engine: Engine;
  readonly subjects: Subjects;
  readonly metrics: ReadonlyMap<string, ChosenMetric>;
  readonly networks: readonly EvaluationFeatures[];
  readonly comparisons: readonly Comparison[];
  readonly cache: ArrayCache | undefined;
  /** Where stages leave what only the report needs. */
  readonly findings: Findings;
}

/** The generators that are evaluated, with their names in tables. */
export function generatorsOf({ student, teacher }: Subjects): [string, RunningSubject][] {
  return [
    ...student ? [["student", student] as [string, RunningSubject]] : [],
    ...teacher ? [["teacher", teacher] as [string, RunningSubject]] : [],
  ];
}
