/**
 * Derivatives of element-wise kernels that TensorFlow.js has without broadcasting, or from a saved
 * result. What it saves of a result is cut off from the tape (it is copied before the kernel is put on
 * it), so that second derivatives through it are silently wrong: here the result is computed anew,
 * which costs a compiled graph nothing.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type Gradient, linearIn, runKernel, unbroadcast } from "./gradient.ts";

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

/** `da = dy b a^(b-1)`, `db = dy a^b log(a)`; nothing for the exponent of numbers below zero. */
const powerGradient = binaryGradient(
  "Pow",
  (dy, a, b) => {
    const exponent = tf.cast(b, "float32");
    return tf.mul(dy, tf.mul(exponent, tf.pow(a, tf.sub(exponent, 1))));
  },
  (dy, a, b) => {
    const log = tf.where(tf.greater(a, 0), tf.log(a), tf.zerosLike(a));
    return tf.mul(dy, tf.mul(tf.pow(a, b), log));
  },
);

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
  powerGradient,
  linearIn("x", "Exp", (dy, _, x) => tf.mul(dy, tf.exp(x))),
  linearIn("x", "Sigmoid", (dy, _, x) => {
    const y = tf.sigmoid(x);
    return tf.mul(dy, tf.mul(y, tf.sub(1, y)));
  }),
  linearIn("x", "Tanh", (dy, _, x) => tf.mul(dy, tf.sub(1, tf.square(tf.tanh(x))))),
  linearIn("x", "Elu", (dy, _, x) => runKernel("EluGrad", { dy, y: tf.elu(x) })),
  linearIn("logits", "Softmax", (dy, { dim }, logits) => {
    const y = tf.softmax(logits, dim);
    const share = tf.mul(dy, y);
    return tf.sub(share, tf.mul(tf.sum(share, dim, true), y));
  }),
  linearIn(
    "x",
    "LRN",
    (dy, attributes, x) =>
      runKernel("LRNGrad", { x, y: runKernel("LRN", { x }, attributes), dy }, attributes),
  ),
];
