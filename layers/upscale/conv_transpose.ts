import * as tf from "@tensorflow/tfjs";
import type { Upscale } from "../../core/contracts.ts";
import { defineUpscale } from "../../core/define.ts";
import { styledDemodulation } from "../demodulation/styled.ts";
import { type NoOptions, noOptions } from "../no_options.ts";
import { initPlainStyle, modulate, plainStyle, type PlainStyleWeight } from "../plain_style.ts";
import { upConv } from "../up_conv.ts";

/** Names of the weights of {@linkcode convTransposeUpscale}. */
export type ConvTransposeUpscaleWeight = "weight" | PlainStyleWeight;

/**
 * StyleGAN2's upsampling: modulated transposed 3x3 convolution of stride 2, low-pass filter,
 * demodulation by the style. Noise, bias and activation are left to the convolution that follows.
 *
 * C channels give C. The kernel is applied as a correlation: kernels of codes that use a
 * transposed convolution are this one turned by 180 degrees. Weights: `weight` `[3,3,C,C]`, `style.weight` `[D,C]`, `style.bias`
 * `[C]`.
 */
export const convTransposeUpscale: Upscale<
  "conv_transpose",
  NoOptions,
  ConvTransposeUpscaleWeight
> = defineUpscale({
  name: "conv_transpose",
  summary: "StyleGAN2's modulated up-convolution with low-pass filter, C to C",
  source: "Karras et al., CVPR 2020, equations 1 and 3, appendix B",
  options: noOptions,
  outChannels: (channels) => channels,
  init({ channels, styleDim }, random) {
    return {
      weight: random.normal([3, 3, channels, channels]),
      ...initPlainStyle({ channels, styleDim }, random),
    };
  },
  apply(params, { x, style }) {
    const scale = 1 / Math.sqrt(9 * x.shape[3]);
    const modulation = plainStyle(params, style); // [N,C]
    const energy = tf.mul(tf.sum(tf.square(params.weight), [0, 1]), scale ** 2) as tf.Tensor2D;
    const factors = styledDemodulation.apply({}, { energy, modulation }, {});
    const y = upConv(modulate(x, modulation, scale), params.weight);
    return tf.mul(y, tf.reshape(factors, [-1, 1, 1, x.shape[3]]));
  },
  multiplyAdds({ channels, styleDim, sizePx }) {
    return {
      convolution: 9 * channels ** 2 * (sizePx / 2) ** 2, // a transposed conv: at its input grid
      style: styleDim * channels,
      filter: 16 * channels * sizePx ** 2, // 4x4 taps of every output pixel
    };
  },
});
