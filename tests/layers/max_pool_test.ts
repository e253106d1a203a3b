import * as tf from "@tensorflow/tfjs";
import { maxPool2 } from "../../layers/max_pool.ts";
import { assertGradient, assertNear, normal } from "../tensors.ts";

const x = normal("x", [2, 4, 6, 3]);
const y = normal("y", [2, 2, 3, 3]);

Deno.test("maxPool2() and its gradient are TensorFlow.js's", () => {
  const theirs = (x: tf.Tensor) => tf.maxPool(x as tf.Tensor4D, 2, 2, "valid");
  assertNear(maxPool2(x), theirs(x));
  const slope = (pool: (x: tf.Tensor) => tf.Tensor) => tf.grad(pool)(x, y);
  assertNear(slope((x) => maxPool2(x as tf.Tensor4D)), slope(theirs));
});

Deno.test("maxPool2() has a second derivative", () => {
  const value = (x: tf.Tensor) =>
    tf.sum(tf.square(tf.grad((x) => tf.sum(tf.square(maxPool2(x as tf.Tensor4D))))(x)));
  assertGradient(value, x);
});
