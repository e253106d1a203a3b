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
  return tf.tensor<R>(data, [...shape] as tf.ShapeMap[R]);
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

/**
 * Asserts that the gradient of a scalar is its central difference.
 *
 * Directions are half the gradient's own (for a slope well above rounding) and half random (for
 * what it may have missed). The median of five errors counts: where leaky ReLU switches on the way,
 * and a slope with it, the difference is not the derivative.
 */
export function assertGradient(
  value: (x: tf.Tensor) => tf.Tensor,
  x: tf.Tensor,
  { step = 3e-4, tolerance = 1e-2 }: { readonly step?: number; readonly tolerance?: number } = {},
): void {
  const unit = (direction: tf.Tensor) => tf.div(direction, tf.norm(direction));
  const gradient = tf.grad(value)(x);
  const tries = [1, 2, 3, 4, 5].map((i) => {
    const direction = unit(tf.add(unit(gradient), unit(normal(`direction${i}`, x.shape))));
    const [slope] = numbers(tf.sum(tf.mul(gradient, direction))) as [number];
    const at = (offset: number) => numbers(value(tf.add(x, tf.mul(direction, offset))))[0]!;
    const difference = (at(step) - at(-step)) / (2 * step);
    return { slope, difference, error: Math.abs(slope / difference - 1) };
  }).sort((a, b) => a.error - b.error);
  const { slope, difference, error } = tries[2]!;
  assert.ok(error <= tolerance, `gradient ${slope}, central difference ${difference}`);
}
