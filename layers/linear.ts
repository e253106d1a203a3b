import * as tf from "@tensorflow/tfjs";
import type { Params, Weights } from "../core/contracts.ts";
import { weightOf } from "../core/params.ts";
import type { Random } from "../core/random.ts";

/** Names of the weights of {@linkcode linear}. */
export type LinearWeight = "weight" | "bias";

/** Options of {@linkcode linear} that belong to the layer. */
export interface LinearOptions {
  /** Learning-rate multiplier: weights are stored divided by it. 0.01 in the mapping network. */
  readonly lrMultiplier?: number;
}

/** Initial weights `[in,out]` ~ N(0,1) / lrMultiplier and a constant bias `[out]`. */
export function initLinear(
  { inputs, outputs, bias = 0 }: {
    readonly inputs: number;
    readonly outputs: number;
    /** Initial value of the bias; 1 for styles. */
    readonly bias?: number;
  },
  random: Random,
  { lrMultiplier = 1 }: LinearOptions = {},
): Weights<LinearWeight> {
  return {
    weight: random.normal([inputs, outputs], 1 / lrMultiplier),
    bias: { shape: [outputs], data: new Float32Array(outputs).fill(bias / lrMultiplier) },
  };
}

/**
 * Fully connected layer with equalised learning rate, times `gain`:
 * `gain (x W lrMultiplier / sqrt(in) + b lrMultiplier)`.
 *
 * - Shapes: `x` `[N,in]` gives `[N,out]`.
 * - Source: Karras et al., ICLR 2018, section 4.1 (equalised rate); StyleGAN, CVPR 2019, appendix C.
 */
export function linear(
  params: Params,
  x: tf.Tensor2D,
  { lrMultiplier = 1, gain = 1 }: LinearOptions & { readonly gain?: number } = {},
): tf.Tensor2D {
  const weight = weightOf(params, "weight");
  const bias = weightOf(params, "bias");
  const scale = gain * lrMultiplier / Math.sqrt(weight.shape[0]);
  const biasScale = gain * lrMultiplier;
  const product = tf.mul(tf.matMul(x, weight), scale); // the product is smaller than the weight
  return tf.add(product, biasScale === 1 ? bias : tf.mul(bias, biasScale)) as tf.Tensor2D;
}
