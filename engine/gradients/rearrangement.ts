/** Derivatives of kernels that move numbers. @module */
import * as tf from "@tensorflow/tfjs";
import { domainKernel } from "../../core/domain_kernel.ts";
import { stridedSliceOf } from "../kernels/rearrangement.ts";
import { spread } from "../kernels/windows.ts";
import { type Gradient, linearIn } from "./gradient.ts";

/** The inverse of depthToSpace, in moves that TensorFlow.js can differentiate any number of times. */
function spaceToDepth(x: tf.Tensor, blockSize: number): tf.Tensor {
  const [n, height, width, c] = x.shape as [number, number, number, number];
  const [h, w] = [height / blockSize, width / blockSize];
  return domainKernel("SpaceToDepth", { x }, { blockSize }, () => {
    const cells = tf.reshape(x, [n, h, blockSize, w, blockSize, c]);
    return tf.reshape(tf.transpose(cells, [0, 1, 3, 2, 4, 5]), [n, h, w, blockSize ** 2 * c]);
  });
}

/** Puts what a strided slice took back to its place among zeros. */
function unslice(
  dy: tf.Tensor,
  shape: readonly number[],
  attributes: Parameters<typeof stridedSliceOf>[1],
): tf.Tensor {
  const { begin, strides, size } = stridedSliceOf(shape, attributes);
  const part = tf.reshape(dy, [...size]);
  const turned = strides.flatMap((stride, axis) => stride < 0 ? [axis] : []);
  const ordered = turned.length ? tf.reverse(part, turned) : part;
  const wide = strides.reduce((x, stride, axis) => spread(x, axis, Math.abs(stride)), ordered);
  return tf.pad(
    wide,
    shape.map((length, axis) => {
      const last = begin[axis]! + (size[axis]! - 1) * strides[axis]!;
      const before = Math.min(begin[axis]!, last);
      return [before, length - before - wide.shape[axis]!];
    }),
  );
}

/** The sum of the copies. TensorFlow.js's own knows up to four axes. */
function untile(dy: tf.Tensor, shape: readonly number[], reps: readonly number[]): tf.Tensor {
  return reps.reduce((sum, count, axis) => {
    if (count === 1) return sum;
    if (shape[axis] === 1) return tf.sum(sum, axis, true);
    return tf.addN(tf.split(sum, count, axis));
  }, dy);
}

/**
 * The product of all others, times dy, along one axis or several made one. TensorFlow.js's own knows
 * no axes counted from the end.
 */
function unproduct(dy: tf.Tensor, x: tf.Tensor, axes: readonly number[]): tf.Tensor {
  const others = (x: tf.Tensor, axis: number) =>
    tf.mul(tf.cumprod(x, axis, true, false), tf.cumprod(x, axis, true, true));
  const kept = x.shape.map((size, i) => axes.includes(i) ? 1 : size);
  const upstream = tf.reshape(dy, kept);
  if (axes.length === 0 || x.rank === 0) return upstream;
  if (axes.length === 1) return tf.mul(upstream, others(x, axes[0]!));
  const rest = x.shape.flatMap((_, i) => axes.includes(i) ? [] : [i]);
  const perm = [...rest, ...axes];
  const moved = tf.transpose(x, perm);
  const flat = tf.reshape(moved, [...rest.map((i) => x.shape[i]!), -1]);
  const products = tf.reshape(others(flat, rest.length), moved.shape);
  return tf.mul(upstream, tf.transpose(products, perm.map((_, i) => perm.indexOf(i))));
}

/** Running sums from the other end. TensorFlow.js's own turns the axes once too often. */
const cumsumGradient = linearIn(
  "x",
  "Cumsum",
  (dy, { axis, exclusive, reverse }) => tf.cumsum(dy, axis, exclusive, !reverse),
);

/** Derivatives of this family. */
export const rearrangementGradients: readonly Gradient[] = [
  linearIn("x", "DepthToSpace", (dy, { blockSize }) => spaceToDepth(dy, blockSize)),
  linearIn(
    "x",
    "SpaceToDepth",
    (dy, { blockSize }) => tf.depthToSpace(dy as tf.Tensor4D, blockSize),
  ),
  linearIn("x", "StridedSlice", (dy, attributes, x) => unslice(dy, x.shape, attributes)),
  linearIn("x", "Tile", (dy, { reps }, x) => untile(dy, x.shape, reps)),
  linearIn(
    "x",
    "Prod",
    (dy, { axis }, x) => unproduct(dy, x, tf.util.parseAxisParam(axis, x.shape)),
  ),
  cumsumGradient,
];
