import * as tf from "@tensorflow/tfjs";
import type { HostArray, Params, PartSource, Weights } from "../core/contracts.ts";
import { lift } from "../core/flat.ts";
import { prefixed, under, weightOf } from "../core/params.ts";
import type { StudentConfig } from "./config.ts";
import { bindDemodulation, type ConvPlace, planStudent, type Resolved } from "./student_plan.ts";

/**
 * The weights that inference needs, and the configuration that goes with them: demodulation merged
 * into every convolution that offers `fuse`, if it does not depend on the style; no auxiliary heads.
 *
 * `mobileSynthesis` gives the same last bands with either. Computes on TensorFlow.js's current
 * backend, which must be an eager one; the weights given are not changed.
 */
export function fuseMobileSynthesis(
  weights: Weights,
  config: StudentConfig,
  parts: PartSource,
): { readonly weights: Weights; readonly config: StudentConfig } {
  const { stages, demodulation } = planStudent(config, parts);
  const convs = stages.flatMap((stage) => stage.convs);
  const merges = convs.some((place) => isConstant(weights, place, demodulation));
  const target = { ...config, auxiliary: false, fused: merges || config.fused === true };
  const fused: Record<string, HostArray> = { "4.const": weightOf(weights, "4.const") };
  for (const { prefix } of planStudent(target, parts).places) {
    Object.assign(fused, prefixed(under(weights, prefix), prefix));
  }
  if (merges) {
    for (const place of convs) Object.assign(fused, mergedConv(weights, place, demodulation));
  }
  return { weights: fused, config: target };
}

/** Whether a convolution's factors do not depend on the style: then two rows of it give one. */
function isConstant(
  weights: Weights,
  { inChannels, demodulationPrefix }: ConvPlace,
  demodulation: Resolved<"demodulation">,
): boolean {
  if (demodulationPrefix === undefined) return false;
  return tf.tidy(() => {
    const demodulate = bindDemodulation(
      liftUnder(weights, demodulationPrefix),
      demodulation,
      demodulationPrefix,
    );
    const energy = tf.ones<tf.Rank.R2>([inChannels, 1]);
    return demodulate({ energy, modulation: tf.ones([2, inChannels]) }).shape[0] === 1;
  });
}

/** The weights of a convolution with its demodulation merged; none where that is not possible. */
function mergedConv(
  weights: Weights,
  { conv, prefix, demodulationPrefix }: ConvPlace,
  demodulation: Resolved<"demodulation">,
): Weights {
  const { part, options } = conv;
  if (demodulationPrefix === undefined || !part.fuse) return {};
  let merged: Weights = {};
  tf.tidy(() => {
    const own = liftUnder(weights, demodulationPrefix);
    const demodulate = bindDemodulation(own, demodulation, demodulationPrefix);
    const params = lift(under(weights, prefix));
    merged = toHost(part.fuse!(params, { demodulation: demodulate }, options));
  });
  return prefixed(merged, prefix);
}

function liftUnder(weights: Weights, prefix: string): Params {
  return lift(prefixed(under(weights, prefix), prefix));
}

function toHost(params: Params): Weights {
  return Object.fromEntries(
    Object.entries(params).map(([name, tensor]) => [
      name,
      { shape: tensor.shape, data: tensor.dataSync<"float32">() },
    ]),
  );
}
