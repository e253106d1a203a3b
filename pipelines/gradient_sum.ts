/**
 * The sum that micro-batches add to: a gradient and the values of its terms.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../core/contracts.ts";
import { scalarArray } from "../core/host_array.ts";
import type { Split } from "./micro_batches.ts";
import type { Term } from "./objective.ts";

/** A gradient `[size]` and the terms' values, scalars by name. */
export interface GradientSum<T> {
  readonly gradient: T;
  readonly values: Readonly<Record<string, T>>;
}

/**
 * What a lane's first micro-batch adds to: nothing if it is the only one, else zeros, as the same graph
 * adds the others.
 */
export function startingSum(
  { accumulate, lanes }: Pick<Split, "accumulate" | "lanes">,
  weights: { readonly shape: readonly number[] },
  terms: readonly Term[],
): readonly GradientSum<HostArray>[] {
  if (accumulate === lanes) return [];
  const size = weights.shape.reduce((product, n) => product * n, 1);
  return [{
    gradient: { shape: weights.shape, data: new Float32Array(size) },
    values: Object.fromEntries(terms.map(({ name }) => [name, scalarArray(0)])),
  }];
}

/** The gradient of all lanes together. */
export function sumOfLanes(gradients: readonly tf.Tensor[]): tf.Tensor {
  return gradients.length === 1 ? gradients[0]! : tf.addN([...gradients]);
}

/** Adds a micro-batch's share of what the whole batch gives, one of `count`, to the sum before, if any. */
export function addShare(
  [before]: readonly GradientSum<tf.Tensor>[],
  own: GradientSum<tf.Tensor>,
  count: number,
): GradientSum<tf.Tensor> {
  const add = (sum: tf.Tensor | undefined, value: tf.Tensor) => {
    const share = tf.mul(value, 1 / count);
    return sum ? tf.add(sum, share) : share;
  };
  return {
    gradient: add(before?.gradient, own.gradient),
    values: Object.fromEntries(
      Object.entries(own.values).map(([name, value]) => [name, add(before?.values[name], value)]),
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
