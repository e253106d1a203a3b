/** What the tests of layers, networks and losses share: random tensors and comparisons. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { Params, Weights } from "../core/contracts.ts";
import { lift } from "../core/flat.ts";
import { createRandom } from "../core/random.ts";

/** Normal numbers that depend on the name only. */
export function normal<R extends tf.Rank = tf.Rank.R4>(
  name: string,
  shape: readonly number[],
): tf.Tensor<R> {
  const { data } = createRandom(1, `test.${name}`).normal(shape);
  return tf.tensor(data, [...shape]);
}

/** Weights as tensors, moved away from their zero and one initial values. */
export function jittered(weights: Weights, size = 0.2): Params {
  return Object.fromEntries(
    Object.entries(lift(weights)).map(([name, weight]) => [
      name,
      tf.add(weight, tf.mul(normal(name, weight.shape), size)),
    ]),
  );
}

/** The numbers of a tensor. */
export function numbers(tensor: tf.Tensor): number[] {
  return [...tensor.dataSync()];
}

/** Asserts equal shapes, and differences of at most `tolerance` times the largest number. */
export function assertNear(actual: tf.Tensor, expected: tf.Tensor, tolerance = 1e-5): void {
  assert.deepEqual(actual.shape, expected.shape);
  const [a, b] = [numbers(actual), numbers(expected)];
  const scale = b.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const worst = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
  assert.ok(worst <= tolerance * scale, `differs by ${worst}, the largest number is ${scale}`);
}

/** Asserts that the gradient of a scalar is its central difference along a random direction. */
export function assertGradient(
  value: (x: tf.Tensor) => tf.Scalar,
  x: tf.Tensor,
  { step = 1e-2, tolerance = 1e-2 }: { readonly step?: number; readonly tolerance?: number } = {},
): void {
  const raw = normal("direction", x.shape);
  const direction = tf.div(raw, tf.norm(raw));
  const slope = tf.sum(tf.mul(tf.grad(value as (x: tf.Tensor) => tf.Tensor)(x), direction));
  const at = (offset: number) => numbers(value(tf.add(x, tf.mul(direction, offset))))[0]!;
  const difference = (at(step) - at(-step)) / (2 * step);
  const [analytic] = numbers(slope) as [number];
  assert.ok(
    Math.abs(analytic - difference) <= tolerance * Math.abs(difference),
    `gradient ${analytic}, central difference ${difference}`,
  );
}
