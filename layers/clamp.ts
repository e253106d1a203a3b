import * as tf from "@tensorflow/tfjs";

/**
 * Holds values within [-limit, limit], as StyleGAN2-ADA holds its features for 16-bit floats; without
 * a limit gives `x` itself.
 *
 * - Shapes: any shape, kept.
 * - Source: `conv_clamp` of stylegan2-ada-pytorch: Karras et al., NeurIPS 2020, appendix D.
 */
export function clampTo<T extends tf.Tensor>(x: T, limit: number | undefined): T {
  return limit === undefined ? x : tf.clipByValue(x, -limit, limit) as T;
}
