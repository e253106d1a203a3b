import * as tf from "@tensorflow/tfjs";
import type { Conv, Params } from "../../core/contracts.ts";
import { defineConv } from "../../core/define.ts";
import { leakyRelu } from "../activation.ts";
import { factoredConv } from "../factored_conv.ts";
import { type NoOptions, noOptions } from "../no_options.ts";
import { noiseAndBias } from "../noise.ts";
import { initPlainStyle, modulate, plainStyle, type PlainStyleWeight } from "../plain_style.ts";

/** Names of the weights of {@linkcode modulatedConv}. */
export type ModulatedConvWeight = "weight" | "bias" | "noise_strength" | PlainStyleWeight;

const scaleOf = (inChannels: number) => 1 / Math.sqrt(9 * inChannels);

/** `[Cin,Cout]`: the squared kernel summed over its taps, times the squared run-time scale. */
function energyOf({ weight }: Params<ModulatedConvWeight>): tf.Tensor2D {
  const scale = scaleOf(weight.shape[2]!);
  return tf.mul(tf.sum(tf.square(weight), [0, 1]), scale ** 2);
}

/**
 * The student's dense 3x3 convolution: modulation, convolution, demodulation, noise, bias, leaky
 * ReLU 0.2 without gain.
 *
 * Weights: `weight` `[3,3,Cin,Cout]`, `bias` `[Cout]`, `noise_strength` `[1]`, `style.weight`
 * `[D,Cin]`, `style.bias` `[Cin]`.
 */
export const modulatedConv: Conv<"modulated", NoOptions, ModulatedConvWeight> = defineConv({
  name: "modulated",
  summary: "dense 3x3 convolution, modulated and demodulated",
  source: "MobileStyleGAN, arXiv:2104.04767, section 3.3, middle panel of its figure",
  options: noOptions,
  init({ inChannels, outChannels, styleDim }, random) {
    return {
      weight: random.normal([3, 3, inChannels, outChannels]),
      bias: { shape: [outChannels], data: new Float32Array(outChannels) },
      noise_strength: { shape: [1], data: new Float32Array(1) },
      ...initPlainStyle({ channels: inChannels, styleDim }, random),
    };
  },
  apply(params, { x, style, noise, demodulation }) {
    const modulation = plainStyle(params, style); // [N,Cin]
    const factors = demodulation?.({ energy: energyOf(params), modulation });
    const scaled = modulate(x, modulation, scaleOf(x.shape[3]));
    const y = factoredConv(scaled, params.weight, factors);
    const { bias, noise_strength: strength } = params;
    return leakyRelu(tf.add(y, noiseAndBias({ bias, strength, noise })));
  },
  fuse(params, { demodulation }) {
    const energy = energyOf(params);
    const factors = demodulation({ energy, modulation: tf.ones([1, energy.shape[0]]) });
    return { ...params, weight: tf.mul(params.weight, tf.reshape(factors, [1, 1, 1, -1])) };
  },
  multiplyAdds({ inChannels, outChannels, styleDim, sizePx }) {
    return {
      convolution: 9 * inChannels * outChannels * sizePx ** 2,
      style: styleDim * inChannels,
    };
  },
});
