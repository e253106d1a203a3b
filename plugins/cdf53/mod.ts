/**
 * A plugin with one upsampling: the inverse of the CDF 5/3 wavelet transform.
 *
 * @module
 */
import { definePlugin, defineUpscale, tf } from "haarlem";
import { z } from "zod";

/** Neighbours along an axis; at the border the last value is its own neighbour. */
function shifted(x: tf.Tensor4D, axis: 1 | 2, by: 1 | -1): tf.Tensor4D {
  const length = x.shape[axis]!;
  const part = (from: number, size: number) => {
    const [begin, sizes] = [[0, 0, 0, 0], [...x.shape]];
    begin[axis] = from;
    sizes[axis] = size;
    return tf.slice(x, begin, sizes);
  };
  return tf.concat(
    by === 1 ? [part(1, length - 1), part(length - 1, 1)] : [part(0, 1), part(0, length - 1)],
    axis,
  );
}

/** Undoes the two lifting steps along an axis, whose length doubles: 1 is vertical, 2 horizontal. */
function merge(low: tf.Tensor4D, high: tf.Tensor4D, axis: 1 | 2): tf.Tensor4D {
  const even: tf.Tensor4D = tf.sub(low, tf.mul(tf.add(shifted(high, axis, -1), high), 0.25));
  const odd = tf.add(high, tf.mul(tf.add(even, shifted(even, axis, 1)), 0.5));
  const shape = [...low.shape] as [number, number, number, number];
  shape[axis] *= 2;
  return tf.reshape(tf.stack([even, odd], axis + 1), shape);
}

const inverse = defineUpscale({
  name: "cdf53/inverse",
  summary: "inverse CDF 5/3 wavelet transform, smoother than Haar's: C channels to C/4, no weights",
  source: "Le Gall and Tabatabai, ICASSP 1988; by lifting: Sweldens, SIAM J. Math. Anal. 1998",
  options: z.object({}),
  outChannels(channels) {
    if (channels % 4 !== 0) {
      throw new RangeError(
        `Cannot use upscale "cdf53/inverse": expected channels that are a multiple of 4 but received ${channels}`,
      );
    }
    return channels / 4;
  },
  init: () => ({}),
  apply(_, { x }) { // [N,H,W,C], the bands LL, LH, HL, HH after one another -> [N,2H,2W,C/4]
    const [ll, lh, hl, hh] = tf.split(x, 4, 3) as tf.Tensor4D[];
    return merge(merge(ll!, lh!, 1), merge(hl!, hh!, 1), 2);
  },
  // By one number of the output: one multiplication vertically and one horizontally.
  multiplyAdds: ({ channels, sizePx }) => ({
    convolution: 0,
    filter: 2 * (channels / 4) * sizePx ** 2,
  }),
});

/** The plugin. */
export default definePlugin({ name: "cdf53", version: "0.1.0", upscales: [inverse] });
