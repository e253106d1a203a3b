import * as tf from "@tensorflow/tfjs";
import { nearestMatrix } from "../core/axis_matrix.ts";
import { resample } from "./resample.ts";

/**
 * Maximum of 2x2 pixels, with derivatives of any order (TensorFlow.js's own has only the first).
 *
 * Pixels that share the maximum of their cell all receive its gradient.
 *
 * - Shapes: `x` `[N,H,W,C]`, H and W even, gives `[N,H/2,W/2,C]`.
 */
export function maxPool2(x: tf.Tensor4D): tf.Tensor4D {
  const [, height, width] = x.shape;
  return tf.customGrad((input, save) => {
    const value = tf.maxPool(input as tf.Tensor4D, 2, 2, "valid");
    (save as tf.GradSaveFunc)([input as tf.Tensor, value]);
    const spread = (y: tf.Tensor) =>
      resample(y as tf.Tensor4D, nearestMatrix(height / 2, 2), nearestMatrix(width / 2, 2));
    return {
      value,
      gradFunc: (dy: tf.Tensor, [saved, maximum]: tf.Tensor[]) => {
        const below = tf.step(tf.sub(spread(maximum!), saved!)); // 1 where x is not the maximum
        return tf.mul(spread(dy), tf.sub(1, below));
      },
    };
  })(x) as tf.Tensor4D;
}
