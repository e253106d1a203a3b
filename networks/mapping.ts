import * as tf from "@tensorflow/tfjs";
import type { HostArray, Params, Weights } from "../core/contracts.ts";
import { prefixed, under } from "../core/params.ts";
import { createRandom } from "../core/random.ts";
import { leakyRelu } from "../layers/activation.ts";
import { initLinear, linear } from "../layers/linear.ts";
import type { TeacherConfig } from "./config.ts";

/** What the mapping network needs of a configuration. */
export type MappingConfig = Pick<TeacherConfig, "styleDim" | "mappingLayers">;

/** Weights of the mapping network that are saved but not trained. */
export const mappingBuffers: readonly string[] = ["w_mean"];

const lrMultiplier = 0.01; // StyleGAN, appendix C

/** Initial weights of the mapping network: `0.weight`, `0.bias`, ..., and the buffer `w_mean`. */
export function initMapping({ styleDim, mappingLayers }: MappingConfig, seed: number): Weights {
  const weights: Record<string, HostArray> = {};
  for (let i = 0; i < mappingLayers; i++) {
    const random = createRandom(seed, `mapping.${i}`);
    const layer = initLinear({ inputs: styleDim, outputs: styleDim }, random, { lrMultiplier });
    Object.assign(weights, prefixed(layer, `${i}`));
  }
  return { ...weights, w_mean: { shape: [styleDim], data: new Float32Array(styleDim) } };
}

/**
 * Maps latents to styles: z of unit second moment, then fully connected layers with leaky ReLU.
 *
 * - Shapes: `z` `[N,D]` ~ N(0,1) gives `w` `[N,D]`.
 * - Source: StyleGAN, CVPR 2019, section 2 and appendix C.
 */
export function mapping(
  params: Params,
  z: tf.Tensor2D,
  { mappingLayers }: MappingConfig,
): tf.Tensor2D {
  const power = tf.mean(tf.square(z), 1, true);
  let x = tf.mul(z, tf.rsqrt(tf.add(power, 1e-8))) as tf.Tensor2D;
  for (let i = 0; i < mappingLayers; i++) {
    x = leakyRelu(linear(under(params, `${i}`), x, { lrMultiplier, gain: Math.SQRT2 }));
  }
  return x;
}

/**
 * Moves styles towards the mean: `mean + psi (w - mean)`, the truncation trick.
 *
 * - Shapes: `w` `[N,D]` or `[N,L,D]`, `mean` `[D]`; the shape of `w` is kept.
 * - `psi`: a number, or a scalar tensor. `cutoff`: only that many first rows of a W+ are moved.
 * - Source: StyleGAN, CVPR 2019, appendix B.
 */
export function truncate<T extends tf.Tensor>(
  w: T,
  mean: tf.Tensor,
  { psi, cutoff }: { readonly psi: number | tf.Tensor; readonly cutoff?: number },
): T {
  if (cutoff === undefined || w.rank === 2) {
    const rest = typeof psi === "number" ? 1 - psi : tf.sub(1, psi);
    return tf.add(tf.mul(w, psi), tf.mul(mean, rest)) as T;
  }
  const rows = w.shape[1]!;
  if (!Number.isInteger(cutoff) || cutoff < 0 || cutoff > rows) {
    throw new RangeError(
      `Cannot truncate styles: expected "cutoff" to be an integer from 0 to ${rows} but received ${cutoff}`,
    );
  }
  const [first, rest] = tf.split(w, [cutoff, rows - cutoff], 1);
  return tf.concat([truncate(first!, mean, { psi }), rest!], 1) as T;
}
