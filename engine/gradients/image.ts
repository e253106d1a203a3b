/** Derivatives of resizing: the same with the transposed matrices. @module */
import * as tf from "@tensorflow/tfjs";
import { type AxisMatrix, transposed } from "../../core/axis_matrix.ts";
import { domainKernel } from "../../core/domain_kernel.ts";
import { bilinearAxis, nearestAxis, resizeMatrices } from "../kernels/image.ts";
import type { Attributes } from "../program.ts";
import { type Gradient, linearIn, runKernel } from "./gradient.ts";

interface Matrices {
  readonly rows: AxisMatrix;
  readonly columns: AxisMatrix;
}

/** `rows . x . columns^T` for every channel. */
function resample(x: tf.Tensor, { rows, columns }: Matrices): tf.Tensor {
  return domainKernel("Resample", { x }, { rows, columns }, () => {
    const [n, h, w, c] = x.shape as [number, number, number, number];
    const matrix = ({ data, rows, columns }: AxisMatrix) => tf.tensor2d(data, [rows, columns]);
    const tall = tf.matMul(matrix(rows), tf.reshape(x, [n, h, w * c]));
    const wide = tf.matMul(matrix(columns), tf.reshape(tall, [n * rows.rows, w, c]));
    return tf.reshape(wide, [n, rows.rows, columns.rows, c]);
  });
}

const adjoint = ({ rows, columns }: Matrices) => ({
  rows: transposed(rows),
  columns: transposed(columns),
});

type Axis = typeof bilinearAxis;

/* TensorFlow.js's own derivatives know neither half-pixel centres nor, for bilinear resizing, images
 * that are not square. */
const resizeGradient = (kernel: string, axis: Axis) =>
  linearIn("images", kernel, (dy, attributes, images) => {
    const size = dy.shape.slice(1, 3);
    return resample(dy, adjoint(resizeMatrices(axis, images.shape, size, attributes)));
  });

const resizeGradientGradient = (kernel: string): Gradient => ({
  kernelName: `${kernel}Grad`,
  inputsToSave: ["images", "dy"],
  gradFunc: (ddx, saved, attributes) => {
    const [images, dy] = saved as [tf.Tensor, tf.Tensor];
    const inputs = { images: ddx as tf.Tensor };
    return {
      dy: () => runKernel(kernel, inputs, { ...attributes, size: dy.shape.slice(1, 3) }),
      images: () => tf.zeros(images.shape),
    };
  },
});

/** Derivatives of this family. */
export const imageGradients: readonly Gradient[] = [
  resizeGradient("ResizeBilinear", bilinearAxis),
  resizeGradient("ResizeNearestNeighbor", nearestAxis),
  resizeGradientGradient("ResizeBilinear"),
  resizeGradientGradient("ResizeNearestNeighbor"),
  linearIn(
    "x",
    "Resample",
    (dy, attributes: Attributes) => resample(dy, adjoint(attributes as unknown as Matrices)),
  ),
];
