import * as tf from "@tensorflow/tfjs";
import type { HostArray, Params } from "../core/contracts.ts";
import { weightOf } from "../core/params.ts";
import type { Random } from "../core/random.ts";
import { leakyRelu } from "./activation.ts";
import { clampTo } from "./clamp.ts";

/** Initial weights of {@linkcode equalisedConv}: HWIO kernel ~ N(0,1), zero bias `[out]` if wanted. */
export function initEqualisedConv(
  { size, inChannels, outChannels, bias = true }: {
    /** Side of the kernel. */
    readonly size: 1 | 3;
    readonly inChannels: number;
    readonly outChannels: number;
    readonly bias?: boolean;
  },
  random: Random,
): Record<string, HostArray> {
  const weight = random.normal([size, size, inChannels, outChannels]);
  if (!bias) return { weight };
  return { weight, bias: { shape: [outChannels], data: new Float32Array(outChannels) } };
}

/**
 * Convolution with equalised learning rate and, with a bias, leaky ReLU, times `gain`.
 *
 * The gain is folded into kernel and bias, which leaky ReLU allows (it is positively homogeneous).
 *
 * - Shapes: `x` `[N,H,W,in]` gives `[N,H',W',out]`; stride 1 keeps the size, stride 2 has no padding.
 * - Source: Karras et al., ICLR 2018, section 4.1; StyleGAN2, CVPR 2020.
 */
export function equalisedConv(
  params: Params,
  x: tf.Tensor4D,
  { gain, stride = 1, clamp }: {
    readonly gain: number;
    readonly stride?: 1 | 2;
    /** Largest magnitude of what comes out; absent: none. */
    readonly clamp?: number | undefined;
  },
): tf.Tensor4D {
  const kernel = weightOf(params, "weight");
  const [height, width, inChannels] = kernel.shape;
  const scale = gain / Math.sqrt(height * width * inChannels);
  const y = tf.conv2d(x, tf.mul(kernel, scale), stride, stride === 1 ? "same" : "valid");
  const bias = params["bias"];
  const active = bias ? leakyRelu(tf.add(y, gain === 1 ? bias : tf.mul(bias, gain))) : y;
  return clampTo(active as tf.Tensor4D, clamp);
}
