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

/**
 * A teacher's W+ `[N,L,D]` as the student reads it, `[N,M,D]`: every layer takes the row of the
 * teacher's layer at its place. A `w` of `[N,D]` serves both as it is.
 */
export function studentStylesOf(w: tf.Tensor, sizePx: number): tf.Tensor {
  if (w.rank === 2) return w;
  const rows = tf.unstack(w, 1);
  const picked = [rows[0]!];
  for (let block = 0; block < Math.log2(sizePx) - 3; block++) {
    picked.push(rows[2 * block + 1]!, rows[2 * block + 2]!, rows[2 * block + 3]!);
  }
  return tf.stack(picked, 1);
}

/**
 * Styles of pairs of latents, mixed: `w` `[2N,D]` (the second half are the partners) and `mix`
 * `[N,L,1]` (1 where a layer takes the partner's) give W+ `[N,L,D]`.
 *
 * Source: StyleGAN, CVPR 2019, section 3.1.
 */
export function mixedStyles(w: tf.Tensor, mix: tf.Tensor): tf.Tensor {
  const [count, styleDim] = w.shape as [number, number];
  const [first, second] = tf.split(tf.reshape(w, [count, 1, styleDim]), 2, 0);
  return tf.add(first!, tf.mul(tf.sub(second!, first!), mix));
}
