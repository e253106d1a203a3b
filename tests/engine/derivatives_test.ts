import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createRandom } from "../../core/random.ts";
import { registerMissingGradients } from "../../engine/gradients.ts";
import { arraysFor, gradientsOf, type KernelCase, scalarFor } from "./cases/case.ts";
import { kernelCases } from "./cases/mod.ts";

const STEP = 2e-3;
const TOLERANCE = 0.01;

registerMissingGradients();

/* That compiled and eager agree says nothing of derivatives that are wrong in both: TensorFlow.js's
 * own of AvgPool, MirrorPad, Cumsum, resizing, and the second ones of Exp, Tanh, Sigmoid, Softmax. */
for (const [kernel, cases] of Object.entries(kernelCases)) {
  const smooth = cases.filter((each) => each.smooth);
  if (smooth.length === 0) continue;
  Deno.test(`kernel ${kernel} has the derivatives that differences say`, () => {
    tf.setBackend("cpu");
    for (const each of smooth) {
      for (const order of [1, 2] as const) {
        if (order <= each.order) tf.tidy(() => assertDerivative(each, order, kernel));
      }
    }
  });
}

/** Compares a gradient with the central difference in a random direction. */
function assertDerivative(each: KernelCase, order: 1 | 2, kernel: string): void {
  const value = scalarFor(each, order);
  const arrays = arraysFor(each, kernel);
  const float = each.operands.map(({ dtype }) => !dtype);
  const random = createRandom(5, `${kernel} ${each.title}`);
  const directions = arrays.map(({ shape }, i) =>
    float[i] ? tf.tensor(random.normal(shape).data, [...shape]) : tf.zeros([...shape])
  );
  const length = tf.sqrt(tf.addN(directions.map((x) => tf.sum(tf.square(x)))));
  const at = (offset: number) =>
    arrays.map(({ shape, data }, i) =>
      tf.add(tf.tensor(data, [...shape]), tf.mul(directions[i]!, tf.div(offset, length)))
    );
  const number = (x: tf.Tensor) => x.dataSync()[0]!;
  const xs = at(0);
  const gradients = gradientsOf(() => value(xs), xs.filter((_, i) => float[i]));
  const along = directions.filter((_, i) => float[i]);
  const slope = number(tf.addN(gradients.map((g, i) => tf.sum(tf.mul(g, along[i]!))))) /
    number(length);
  const difference = (number(value(at(STEP))) - number(value(at(-STEP)))) / (2 * STEP);
  const size = number(tf.sqrt(tf.addN(gradients.map((g) => tf.sum(tf.square(g))))));
  const rounding = Math.abs(number(value(xs))) * 1e-7 / STEP;
  assert.ok(
    Math.abs(slope - difference) <= TOLERANCE * (size + 1e-3) + 3 * rounding,
    `${each.title}, order ${order}: gradient ${slope}, central difference ${difference}`,
  );
}
