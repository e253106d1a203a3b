/**
 * The sum that micro-batches add to: a gradient and the values of its terms.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../core/contracts.ts";
import { scalarArray } from "../core/host_array.ts";
import type { Term } from "./objective.ts";

/** A gradient `[size]` and the terms' values, scalars by name. */
export interface GradientSum<T> {
  readonly gradient: T;
  readonly values: Readonly<Record<string, T>>;
}

/** The sum before the first micro-batch. */
export function emptySum(
  weights: { readonly shape: readonly number[] },
  terms: readonly Term[],
): GradientSum<HostArray> {
  const size = weights.shape.reduce((product, n) => product * n, 1);
  return {
    gradient: { shape: weights.shape, data: new Float32Array(size) },
    values: Object.fromEntries(terms.map(({ name }) => [name, scalarArray(0)])),
  };
}

/** The gradient of all lanes together. */
export function sumOfLanes(gradients: readonly tf.Tensor[]): tf.Tensor {
  return gradients.length === 1 ? gradients[0]! : tf.addN([...gradients]);
}

/** Adds a micro-batch's share of what the whole batch gives: one of `count`. */
export function addShare(
  sum: GradientSum<tf.Tensor>,
  own: GradientSum<tf.Tensor>,
  count: number,
): GradientSum<tf.Tensor> {
  const add = (a: tf.Tensor, b: tf.Tensor) => tf.add(a, tf.mul(b, 1 / count));
  return {
    gradient: add(sum.gradient, own.gradient),
    values: Object.fromEntries(
      Object.entries(own.values).map(([name, value]) => [name, add(sum.values[name]!, value)]),
    ),
  };
}

/** The values of all lanes together, as numbers by name. */
export function sumOfValues(
  lanes: readonly Readonly<Record<string, HostArray>>[],
): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [name, { data }] of lanes.flatMap((values) => Object.entries(values))) {
    sums[name] = (sums[name] ?? 0) + data[0]!;
  }
  return sums;
}
