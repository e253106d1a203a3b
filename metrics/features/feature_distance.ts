import * as tf from "@tensorflow/tfjs";

/** Keeps the direction of a position without features at zero instead of dividing by zero. */
const NORM_EPSILON = 1e-10;

/**
 * Perceptual distance of pairs of images by their feature maps: at every position the features are
 * scaled to length 1; the squared differences are averaged over the positions of a map and summed
 * over its channels and over the maps.
 *
 * - Shapes: lists of maps `[N,h,w,c]` of equal shapes give `[N]`.
 * - The formula is LPIPS's with all its weights 1, since those were fitted to other networks; values
 *   are not comparable with LPIPS's.
 * - Source: Zhang et al., CVPR 2018 (arXiv:1801.03924), equation 1.
 */
export function featureDistance(
  left: readonly tf.Tensor4D[],
  right: readonly tf.Tensor4D[],
): tf.Tensor1D {
  const perMap = left.map((map, i) => {
    const squares = tf.squaredDifference(unit(map), unit(right[i]!));
    return tf.mean(tf.sum(squares, 3), [1, 2]);
  });
  return tf.addN(perMap) as tf.Tensor1D;
}

function unit(map: tf.Tensor4D): tf.Tensor {
  const power = tf.sum(tf.square(map), 3, true);
  return tf.mul(map, tf.rsqrt(tf.add(power, NORM_EPSILON)));
}
