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

function composed(x: tf.Tensor4D, rows: AxisMatrix, columns: AxisMatrix): tf.Tensor {
  const [n, h, w, c] = x.shape;
  const down = tf.tensor2d(rows.data, [rows.rows, h]);
  const across = tf.tensor2d(columns.data, [columns.rows, w]);
  const tall = tf.reshape(
    tf.matMul(tf.tile(tf.expandDims(down, 0), [n, 1, 1]), tf.reshape(x, [n, h, w * c])),
    [n * rows.rows, w, c],
  );
  const wide = tf.matMul(tf.tile(tf.expandDims(across, 0), [n * rows.rows, 1, 1]), tall);
  return tf.reshape(wide, [n, rows.rows, columns.rows, c]);
}
