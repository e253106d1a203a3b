import * as tf from "@tensorflow/tfjs";
import type { Params } from "../core/contracts.ts";
import type { DiscriminatorConfig } from "./config.ts";
import { discriminator } from "./discriminator.ts";

/**
 * The logits of two batches, as {@linkcode discriminator} gives them for each alone, from one batch
 * of both: half as many nodes, which cost more than their arithmetic where images are small.
 *
 * - Shapes: two `image` `[N,S,S,3]` in [-1, 1] give two logits `[N,1]`.
 * - Groups of the minibatch deviation hold images of one batch only: with `m` groups per batch, image
 *   i is of group i mod m, so every m images of the one are followed by m of the other.
 *
 * @throws {RangeError} As `discriminator()`.
 */
export function discriminatorOfBoth(
  params: Params,
  images: readonly [tf.Tensor4D, tf.Tensor4D],
  config: DiscriminatorConfig,
): readonly [tf.Tensor2D, tf.Tensor2D] {
  const [a, b] = images;
  const [n, height, width, channels] = a.shape;
  const size = Math.min(n, config.stddevGroup);
  if (`${a.shape}` !== `${b.shape}` || n % size !== 0) {
    return [discriminator(params, a, config), discriminator(params, b, config)];
  }
  const groups = n / size;
  const turns = images.map((x) => tf.reshape(x, [size, groups * height * width * channels]));
  const both = tf.reshape(tf.concat(turns, 1), [2 * n, height, width, channels]) as tf.Tensor4D;
  const logits = discriminator(params, both, { ...config, stddevGroup: size }); // [size m 2,1]
  const halves = tf.split(tf.reshape(logits, [size, 2 * groups]), 2, 1);
  const [first, second] = halves.map((half) => tf.reshape(half, [n, 1]) as tf.Tensor2D);
  return [first!, second!];
}
