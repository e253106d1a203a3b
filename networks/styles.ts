import * as tf from "@tensorflow/tfjs";

/**
 * The style of each layer: `w` itself for `[N,D]`, its rows for W+ `[N,L,D]`.
 *
 * @param counts The numbers of rows that are accepted; the smallest is how many layers read.
 * @returns The styles `[N,D]` in the order of the layers
 * @throws {RangeError} If `w` has another rank or number of rows.
 */
export function stylesOf(w: tf.Tensor, counts: readonly number[]): tf.Tensor2D[] {
  const layers = Math.min(...counts);
  if (w.rank === 2) return Array.from({ length: layers }, () => w as tf.Tensor2D);
  if (w.rank !== 3 || !counts.includes(w.shape[1]!)) {
    throw new RangeError(
      `Cannot read styles: expected w of shape [N,D] or [N,${
        counts.join(" or ")
      },D] but received [${w.shape}]`,
    );
  }
  return tf.unstack(w, 1).slice(0, layers) as tf.Tensor2D[];
}
