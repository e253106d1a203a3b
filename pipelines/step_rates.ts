/**
 * The factors of a distillation step that depend on its number: fed as scalars, so that one graph
 * serves all steps.
 *
 * @module
 */
import type { HostArray } from "../core/contracts.ts";
import { scalarArray } from "../core/host_array.ts";
import { type AdamRates, adamRates, averageDecay } from "../core/optimiser.ts";
import type { DistillConfig } from "./distill_config.ts";

/** Adam's factors at an update of the discriminator, the first being 1. */
export function criticRates(
  { discriminator }: Pick<DistillConfig, "discriminator">,
  update: number,
): AdamRates<HostArray> {
  const { learningRate, beta1, beta2 } = discriminator;
  return asArrays(adamRates(learningRate, update, { beta1, beta2, epsilon: 1e-8 }));
}

/** Adam's factors at a step, with warm-up and decay of the rate, and the decay of the average. */
export function studentRates(
  config: Pick<DistillConfig, "optimiser" | "steps" | "batch" | "averageKimg">,
  step: number,
): { readonly rates: AdamRates<HostArray>; readonly decay: HostArray } {
  const { optimiser, steps, batch, averageKimg } = config;
  const warm = Math.min(1, (step + 1) / (optimiser.warmupSteps + 1));
  const decay = optimiser.decay === "cosine" ? 0.5 * (1 + Math.cos(Math.PI * step / steps)) : 1;
  // At most a tenth of what was seen: early weights are soon forgotten.
  const halfLifeKimg = Math.min(averageKimg, 0.1 * (step + 1) * batch / 1000);
  return {
    rates: asArrays(adamRates(optimiser.learningRate * warm * decay, step + 1, optimiser)),
    decay: scalarArray(averageDecay(batch, halfLifeKimg)),
  };
}

function asArrays({ rate, powerCorrection }: AdamRates<number>): AdamRates<HostArray> {
  return { rate: scalarArray(rate), powerCorrection: scalarArray(powerCorrection) };
}
