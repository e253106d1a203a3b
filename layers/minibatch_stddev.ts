import * as tf from "@tensorflow/tfjs";

/**
 * Appends one channel with the standard deviation of the features over a group of images.
 *
 * The deviation of every feature over the group is averaged to one number per group. With `m`
 * groups, image i belongs to group i mod m, as in the reference codes; a batch smaller than
 * `groupSize` is one group.
 *
 * - Shapes: `x` `[N,H,W,C]` gives `[N,H,W,C+1]`.
 * - Source: Karras et al., ICLR 2018, section 3; groups as in StyleGAN2.
 *
 * @throws {RangeError} If the batch is not a multiple of the group.
 */
export function minibatchStddev(x: tf.Tensor4D, groupSize = 4): tf.Tensor4D {
  const [n, height, width, channels] = x.shape;
  const size = Math.min(n, groupSize);
  if (n % size !== 0) {
    throw new RangeError(
      `Cannot apply minibatchStddev(): expected a batch that is a multiple of ${size} but received ${n}`,
    );
  }
  const groups = n / size;
  const features = height * width * channels;
  const members = tf.reshape(x, [size, groups * features]);
  const centred = tf.sub(members, tf.mean(members, 0, true));
  const variance = tf.mean(tf.square(centred), 0); // biased, as in the reference codes
  const deviation = tf.sqrt(tf.add(variance, 1e-8));
  const perGroup = tf.mean(tf.reshape(deviation, [groups, features]), 1, true); // [M,1]
  const spread = tf.mul(
    tf.reshape(perGroup, [1, groups, 1]),
    tf.ones([size, groups, height * width]),
  );
  return tf.concat([x, tf.reshape(spread, [n, height, width, 1]) as tf.Tensor4D], 3);
}
