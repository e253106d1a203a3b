import * as tf from "@tensorflow/tfjs";
import type { HostArray, Params } from "../core/contracts.ts";
import type { Random } from "../core/random.ts";

/** Names of the weights of {@linkcode plainStyle}. */
export type PlainStyleWeight = "style.weight" | "style.bias";

/**
 * Initial weights of {@linkcode plainStyle}: uniform within +-1/sqrt(D), the default of PyTorch's
 * linear layer, which the author's student keeps; bias 1.
 */
export function initPlainStyle(
  { channels, styleDim }: { readonly channels: number; readonly styleDim: number },
  random: Random,
): Record<PlainStyleWeight, HostArray> {
  const bound = 1 / Math.sqrt(styleDim);
  return {
    "style.weight": random.uniform([styleDim, channels], -bound, bound),
    "style.bias": { shape: [channels], data: new Float32Array(channels).fill(1) },
  };
}

/**
 * The student's style coefficients `s = w A + b`, without equalised learning rate.
 *
 * - Shapes: `style` `[N,D]` gives `[N,C]`.
 * - Source: MobileStyleGAN, arXiv:2104.04767, section 3.3; initialisation of the author's code.
 */
export function plainStyle(params: Params<PlainStyleWeight>, style: tf.Tensor2D): tf.Tensor2D {
  return tf.add(tf.matMul(style, params["style.weight"]), params["style.bias"]);
}

/** Multiplies the channels of `x` `[1 or N,H,W,C]` by `coefficients` `[N,C]`, times `scale`. */
export function modulate(x: tf.Tensor4D, coefficients: tf.Tensor2D, scale = 1): tf.Tensor4D {
  // The scale goes into the small tensor.
  const factors = scale === 1 ? coefficients : tf.mul(coefficients, scale);
  return tf.mul(x, tf.reshape(factors, [-1, 1, 1, x.shape[3]]));
}
