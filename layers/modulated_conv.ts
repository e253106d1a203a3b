import * as tf from "@tensorflow/tfjs";
import type { HostArray, Params } from "../core/contracts.ts";
import { prefixed, under, weightOf } from "../core/params.ts";
import type { Random } from "../core/random.ts";
import { leakyRelu } from "./activation.ts";
import { clampTo } from "./clamp.ts";
import { initLinear, linear } from "./linear.ts";
import { noiseAndBias } from "./noise.ts";
import { upConv } from "./up_conv.ts";

const EPSILON = 1e-8; // of the demodulation, as in all reference codes

/** Shapes of a StyleGAN2 convolution. */
export interface ModulatedConvDims {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly styleDim: number;
}

/** Initial weights of {@linkcode modulatedConv}: kernel HWIO ~ N(0,1), style bias 1, noise off. */
export function initModulatedConv(
  { inChannels, outChannels, styleDim }: ModulatedConvDims,
  random: Random,
): Record<string, HostArray> {
  return {
    weight: random.normal([3, 3, inChannels, outChannels]),
    bias: { shape: [outChannels], data: new Float32Array(outChannels) },
    noise_strength: { shape: [1], data: new Float32Array(1) },
    ...prefixed(initLinear({ inputs: styleDim, outputs: inChannels, bias: 1 }, random), "style"),
  };
}

/**
 * StyleGAN2's styled convolution: modulation, 3x3 convolution (after upsampling, if asked for),
 * demodulation, noise, bias, leaky ReLU times sqrt(2).
 *
 * In the form that scales activations: `x s`, convolution, `d`, with `d_j = rsqrt(sum_i s_i^2
 * sum_uv W_uvij^2 + 1e-8)`. Every gain is in the small tensors.
 *
 * - Shapes: `x` `[1 or N,H,W,in]`, `style` `[N,D]`, `noise` `[1 or N,H',W',1]` gives
 *   `[N,H',W',out]`, H' = 2H with `up`.
 * - The kernel is applied as a correlation also with `up`. Kernels of codes that upsample by a
 *   transposed convolution are this one turned by 180 degrees.
 * - Source: Karras et al., CVPR 2020, equations 1 and 3; appendix B for the upsampling.
 */
export function modulatedConv(
  params: Params,
  { x, style, noise }: {
    readonly x: tf.Tensor4D;
    readonly style: tf.Tensor2D;
    readonly noise?: tf.Tensor4D | undefined;
  },
  { up = false, clamp }: {
    readonly up?: boolean;
    /** Largest magnitude of what comes out; absent: none. */
    readonly clamp?: number | undefined;
  } = {},
): tf.Tensor4D {
  const kernel = weightOf(params, "weight");
  const [height, width, inChannels, outChannels] = kernel.shape;
  const scale = 1 / Math.sqrt(height * width * inChannels);
  const modulation = linear(under(params, "style"), style, { gain: scale }); // [N,in]

  const energy = tf.sum(tf.square(kernel), [0, 1]); // [in,out]
  const norm = tf.add(tf.matMul(tf.square(modulation), energy as tf.Tensor2D), EPSILON);
  const demodulation = tf.mul(tf.rsqrt(norm), Math.SQRT2); // [N,out]

  const scaled = tf.mul(x, tf.reshape(modulation, [-1, 1, 1, inChannels])) as tf.Tensor4D;
  const y = up ? upConv(scaled, kernel) : tf.conv2d(scaled, kernel, 1, "same");
  const shift = noiseAndBias({
    bias: weightOf(params, "bias"),
    strength: weightOf(params, "noise_strength"),
    noise,
  }, Math.SQRT2);
  const normal = tf.mul(y, tf.reshape(demodulation, [-1, 1, 1, outChannels]));
  return clampTo(leakyRelu(tf.add(normal, shift)) as tf.Tensor4D, clamp);
}

/** Initial weights of {@linkcode modulatedRgb}. */
export function initModulatedRgb(
  { channels, styleDim }: { readonly channels: number; readonly styleDim: number },
  random: Random,
): Record<string, HostArray> {
  return {
    weight: random.normal([1, 1, channels, 3]),
    bias: { shape: [3], data: new Float32Array(3) },
    ...prefixed(initLinear({ inputs: styleDim, outputs: channels, bias: 1 }, random), "style"),
  };
}

/**
 * StyleGAN2's RGB layer: modulated 1x1 convolution without demodulation, and bias.
 *
 * - Shapes: `x` `[N,H,W,C]`, `style` `[N,D]` gives `[N,H,W,3]`.
 * - Source: Karras et al., CVPR 2020, figure 7b.
 */
export function modulatedRgb(
  params: Params,
  { x, style }: { readonly x: tf.Tensor4D; readonly style: tf.Tensor2D },
  { clamp }: { readonly clamp?: number | undefined } = {},
): tf.Tensor4D {
  const kernel = weightOf(params, "weight");
  const channels = kernel.shape[2];
  const modulation = linear(under(params, "style"), style, { gain: 1 / Math.sqrt(channels) });
  const scaled = tf.mul(x, tf.reshape(modulation, [-1, 1, 1, channels])) as tf.Tensor4D;
  const rgb = tf.add(tf.conv2d(scaled, kernel, 1, "same"), weightOf(params, "bias"));
  return clampTo(rgb as tf.Tensor4D, clamp);
}
