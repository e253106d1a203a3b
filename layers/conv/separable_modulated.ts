import * as tf from "@tensorflow/tfjs";
import type { Conv, Params } from "../../core/contracts.ts";
import { defineConv } from "../../core/define.ts";
import { leakyRelu } from "../activation.ts";
import { factoredConv } from "../factored_conv.ts";
import { type NoOptions, noOptions } from "../no_options.ts";
import { noiseAndBias } from "../noise.ts";
import { initPlainStyle, modulate, plainStyle, type PlainStyleWeight } from "../plain_style.ts";

/** Names of the weights of {@linkcode separableModulatedConv}. */
export type SeparableModulatedConvWeight =
  | "depthwise"
  | "pointwise"
  | "bias"
  | "noise_strength"
  | PlainStyleWeight;

const scaleOf = (inChannels: number) => 1 / Math.sqrt(9 * inChannels);

/**
 * `[Cin,Cout]`: the squared kernel summed over its taps, times the squared run-time scale. The kernel
 * is the product of both weights, so that its energy is the product of theirs.
 */
function energyOf({ depthwise, pointwise }: Params<SeparableModulatedConvWeight>): tf.Tensor2D {
  const [inChannels, outChannels] = [pointwise.shape[2]!, pointwise.shape[3]!];
  const spatial = tf.mul(tf.sum(tf.square(depthwise), [0, 1]), scaleOf(inChannels) ** 2); // [Cin,1]
  return tf.mul(spatial, tf.reshape(tf.square(pointwise), [inChannels, outChannels]));
}

/**
 * The paper's depthwise-separable convolution: modulation, depthwise 3x3, pointwise 1x1,
 * demodulation, noise, bias, leaky ReLU 0.2 without gain.
 *
 * Weights: `depthwise` `[3,3,Cin,1]`, `pointwise` `[1,1,Cin,Cout]`, `bias` `[Cout]`,
 * `noise_strength` `[1]`, `style.weight` `[D,Cin]`, `style.bias` `[Cin]`.
 */
export const separableModulatedConv: Conv<
  "separable_modulated",
  NoOptions,
  SeparableModulatedConvWeight
> = defineConv({
  name: "separable_modulated",
  summary: "the paper's depthwise-separable 3x3 convolution, modulated and demodulated",
  source: "MobileStyleGAN, arXiv:2104.04767, section 3.3, right panel of its figure",
  options: noOptions,
  init({ inChannels, outChannels, styleDim }, random) {
    return {
      depthwise: random.normal([3, 3, inChannels, 1]),
      pointwise: random.normal([1, 1, inChannels, outChannels]),
      bias: { shape: [outChannels], data: new Float32Array(outChannels) },
      noise_strength: { shape: [1], data: new Float32Array(1) },
      ...initPlainStyle({ channels: inChannels, styleDim }, random),
    };
  },
  apply(params, { x, style, noise, demodulation }) {
    const modulation = plainStyle(params, style); // [N,Cin]
    const factors = demodulation?.({ energy: energyOf(params), modulation });
    const scaled = modulate(x, modulation, scaleOf(x.shape[3]));
    const spatial = tf.depthwiseConv2d(scaled, params.depthwise, 1, "same");
    const y = factoredConv(spatial, params.pointwise, factors);
    const { bias, noise_strength: strength } = params;
    return leakyRelu(tf.add(y, noiseAndBias({ bias, strength, noise })));
  },
  fuse(params, { demodulation }) {
    const energy = energyOf(params);
    const factors = demodulation({ energy, modulation: tf.ones([1, energy.shape[0]]) });
    return { ...params, pointwise: tf.mul(params.pointwise, tf.reshape(factors, [1, 1, 1, -1])) };
  },
  multiplyAdds({ inChannels, outChannels, styleDim, sizePx }) {
    return {
      convolution: (9 * inChannels + inChannels * outChannels) * sizePx ** 2,
      style: styleDim * inChannels,
    };
  },
});
