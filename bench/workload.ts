/**
 * What the workloads share.
 *
 * @module
 */
import type { HostArray, Weights } from "../core/contracts.ts";
import { scalarArray } from "../core/host_array.ts";
import { disposeArrays, type Engine, type EngineArray, readArrays } from "../engine/mod.ts";
import type { Program } from "../engine/program.ts";
import { sumOfValues } from "../pipelines/gradient_sum.ts";
import type { Term } from "../pipelines/objective.ts";
import { below, type Scenario } from "./scenarios.ts";

/** One thing to time. */
export interface Workload {
  /** Images per run. */
  readonly images: number;
  /** Runs once and gives a number that every engine and peer must agree on in the first run. */
  run(): Promise<number>;
  /** What is run, for counting; of several programs all. */
  programs(): Promise<readonly Program[]>;
}

/** Makes a workload of a scenario. */
export type Make = (engine: Engine, scenario: Scenario, arrays: Weights) => Workload;

/** A term of a workload's objective. */
export const term = (loss: Term["loss"], options: unknown, every = 1): Term => ({
  name: loss.name,
  loss,
  options,
  weight: 1,
  from: 0,
  every,
});

/** Zeros of the same shape. */
export const zeros = ({ shape, data }: HostArray): HostArray => ({
  shape,
  data: new Float32Array(data.length),
});

/** The noise maps of a scenario, coarsest first. */
export const noiseOf = (arrays: Weights): HostArray[] => Object.values(below(arrays, "noise/"));

/** Factors of Adam. */
export const rates = { rate: scalarArray(0.002), powerCorrection: scalarArray(1) };

/** Reads the values of all lanes, gives them back and adds them; a lazy term as strongly as it counts. */
export async function valueOf(
  lanes: readonly Readonly<Record<string, EngineArray>>[],
  terms: readonly Term[],
): Promise<number> {
  const sums = sumOfValues(await readArrays(lanes));
  disposeArrays(lanes);
  return terms.reduce((sum, { name, every }) => sum + every * sums[name]!, 0);
}
