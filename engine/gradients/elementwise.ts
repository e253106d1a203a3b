/** Derivatives of element-wise kernels that TensorFlow.js has without broadcasting. @module */
import * as tf from "@tensorflow/tfjs";
import { type Gradient, unbroadcast } from "./gradient.ts";

/** The derivative of a kernel of two operands, from those for operands of equal shape. */
function binaryGradient(
  kernelName: string,
  da: (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  db: (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
): Gradient {
  return {
    kernelName,
    inputsToSave: ["a", "b"],
    gradFunc: (dy, saved) => {
      const [a, b] = saved as [tf.Tensor, tf.Tensor];
      return {
        a: () => unbroadcast(da(dy as tf.Tensor, a, b), a.shape),
        b: () => unbroadcast(db(dy as tf.Tensor, a, b), b.shape),
      };
    },
  };
}

const where = (condition: tf.Tensor, dy: tf.Tensor) => tf.mul(dy, tf.cast(condition, "float32"));

/** Derivatives of this family; of two equal numbers the first counts, as in TensorFlow.js. */
export const elementwiseGradients: readonly Gradient[] = [
  binaryGradient(
    "Maximum",
    (dy, a, b) => where(tf.greaterEqual(a, b), dy),
    (dy, a, b) => where(tf.less(a, b), dy),
  ),
  binaryGradient(
    "Minimum",
    (dy, a, b) => where(tf.lessEqual(a, b), dy),
    (dy, a, b) => where(tf.greater(a, b), dy),
  ),
  binaryGradient(
    "SquaredDifference",
    (dy, a, b) => tf.mul(dy, tf.mul(tf.sub(a, b), 2)),
    (dy, a, b) => tf.mul(dy, tf.mul(tf.sub(b, a), 2)),
  ),
];
