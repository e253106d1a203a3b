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
  const { begin, strides, finalShapeSparse } = stridedSliceOf(shape, attributes);
  const part = tf.reshape(dy, finalShapeSparse);
  const turned = strides.flatMap((stride, axis) => stride < 0 ? [axis] : []);
  const ordered = turned.length ? tf.reverse(part, turned) : part;
  const wide = strides.reduce((x, stride, axis) => spread(x, axis, Math.abs(stride)), ordered);
  return tf.pad(
    wide,
    shape.map((size, axis) => {
      const last = begin[axis]! + (finalShapeSparse[axis]! - 1) * strides[axis]!;
      const before = Math.min(begin[axis]!, last);
      return [before, size - before - wide.shape[axis]!];
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
  cumsumGradient,
];
