/**
 * Outputs of the reference implementations: `tests/golden/expected.safetensors`, whose names and
 * origin `tests/golden/README.md` lists.
 *
 * @module
 */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../core/contracts.ts";
import { readSafetensors } from "../io/safetensors.ts";

const file = new URL("./golden/expected.safetensors", import.meta.url);
const { tensors } = readSafetensors(Deno.readFileSync(file));

/** The array of that name as it is in the file: NCHW images, OIHW kernels, [out,in] matrices. */
export function golden(name: string): HostArray {
  const array = tensors[name];
  assert.ok(array, `golden array "${name}"`);
  return array;
}

/** The axes of an array in another order, which is another order of its numbers. */
export function permuted({ shape, data }: HostArray, axes: readonly number[]): HostArray {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((product, n) => product * n, 1));
  const newShape = axes.map((axis) => shape[axis]!);
  const result = new Float32Array(data.length);
  const index = newShape.map(() => 0);
  for (let i = 0; i < result.length; i++) {
    result[i] = data[axes.reduce((sum, axis, k) => sum + strides[axis]! * index[k]!, 0)]!;
    for (let k = index.length - 1; k >= 0 && ++index[k]! === newShape[k]; k--) index[k] = 0;
  }
  return { shape: newShape, data: result };
}

/** The same numbers in another shape. */
export function reshaped({ data }: HostArray, shape: readonly number[]): HostArray {
  return { shape, data };
}

/** NCHW images as NHWC. */
export const nhwc = (array: HostArray): HostArray => permuted(array, [0, 2, 3, 1]);
/** OIHW kernels as HWIO. */
export const hwio = (array: HostArray): HostArray => permuted(array, [2, 3, 1, 0]);
/** [out,in] matrices as [in,out]. */
export const transposed = (array: HostArray): HostArray => permuted(array, [1, 0]);
/** An array without its axes of length 1. */
export const squeezed = ({ shape, data }: HostArray): HostArray => ({
  shape: shape.filter((size) => size !== 1),
  data,
});

/** A host array as a tensor. */
export function tensor<R extends tf.Rank>({ shape, data }: HostArray): tf.Tensor<R> {
  return tf.tensor<R>(data, [...shape] as tf.ShapeMap[R]);
}

/** Asserts equality within `tolerance` times the largest expected magnitude. */
export function assertClose(
  actual: tf.Tensor | HostArray,
  expected: HostArray,
  tolerance = 1e-5,
): void {
  const values = actual instanceof tf.Tensor ? actual.dataSync() : actual.data;
  assert.deepEqual([...actual.shape], [...expected.shape]);
  const scale = expected.data.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
  let worst = 0;
  expected.data.forEach((x, i) => {
    const distance = Math.abs(values[i]! - x);
    worst = distance > worst || Number.isNaN(distance) ? distance : worst;
  });
  assert.ok(worst <= tolerance * scale, `expected a distance of ${tolerance * scale} but ${worst}`);
}

/** Runs a function with tensors that are all disposed afterwards. */
export function tidy(fn: () => void): void {
  tf.tidy(fn);
}
