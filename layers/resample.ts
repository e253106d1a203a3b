import * as tf from "@tensorflow/tfjs";
import { type AxisMatrix, transposed } from "../core/axis_matrix.ts";
import { domainKernel } from "../core/domain_kernel.ts";

/**
 * Resamples images with one constant matrix per axis: `rows . x . columns^T` for every channel.
 *
 * - Shapes: `x` `[N,H,W,C]`, `rows` `[H',H]`, `columns` `[W',W]` gives `[N,H',W',C]`.
 * - Linear, so its derivative is the resampling with the transposed matrices, to any order.
 *
 * @throws {RangeError} If a matrix does not fit the image.
 */
export function resample(x: tf.Tensor4D, rows: AxisMatrix, columns: AxisMatrix): tf.Tensor4D {
  const [, height, width] = x.shape;
  if (rows.columns !== height || columns.columns !== width) {
    throw new RangeError(
      `Cannot resample: expected x of shape [N,${rows.columns},${columns.columns},C] but received [${x.shape}]`,
    );
  }
  return tf.customGrad((input) => ({
    value: domainKernel(
      "Resample",
      { x: input as tf.Tensor },
      { rows, columns },
      () => composed(input as tf.Tensor4D, rows, columns),
    ),
    gradFunc: (dy: tf.Tensor) => resample(dy as tf.Tensor4D, transposed(rows), transposed(columns)),
  }))(x) as tf.Tensor4D;
}

/** Products whose first factor has a batch of one: it serves every image, and every row of them. */
function composed(x: tf.Tensor4D, rows: AxisMatrix, columns: AxisMatrix): tf.Tensor {
  const [n, h, w, c] = x.shape;
  const down = tf.tensor3d(rows.data, [1, rows.rows, h]);
  const across = tf.tensor3d(columns.data, [1, columns.rows, w]);
  const tall = tf.matMul(down, tf.reshape(x, [n, h, w * c]));
  const wide = tf.matMul(across, tf.reshape(tall, [n * rows.rows, w, c]));
  return tf.reshape(wide, [n, rows.rows, columns.rows, c]);
}
