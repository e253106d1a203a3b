/** Resizing of images: one constant matrix per axis. @module */
import * as tf from "@tensorflow/tfjs";
import { type AxisMatrix, transposed } from "../../core/axis_matrix.ts";
import type { Attributes } from "../program.ts";
import type { NamedInputs, Rule } from "../rule.ts";

/** Where the pixels of a new axis lie in the old one, as TensorFlow.js counts. */
function positions(from: number, to: number, attributes: Attributes, half: number): number[] {
  const { alignCorners, halfPixelCenters } = attributes;
  const ratio = alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to;
  return Array.from(
    { length: to },
    (_, i) => halfPixelCenters ? ratio * (i + 0.5) - half : ratio * i,
  );
}

/** For each new pixel the old one that it repeats. */
export function nearestIndices(from: number, to: number, attributes: Attributes): number[] {
  const round = attributes["alignCorners"] ? Math.round : Math.floor;
  return positions(from, to, attributes, 0).map((at) => Math.max(0, Math.min(from - 1, round(at))));
}

const keyOf = (kind: string, from: number, to: number, attributes: Attributes) =>
  `${kind}(${from},${to},${!!attributes["alignCorners"]},${!!attributes["halfPixelCenters"]})`;

/** Repetition of pixels along one axis. */
export function nearestAxis(from: number, to: number, attributes: Attributes): AxisMatrix {
  const data = new Float32Array(to * from);
  nearestIndices(from, to, attributes).forEach((at, i) => data[i * from + at] = 1);
  return { key: keyOf("resize nearest", from, to, attributes), rows: to, columns: from, data };
}

/** Linear interpolation along one axis. */
export function bilinearAxis(from: number, to: number, attributes: Attributes): AxisMatrix {
  const data = new Float32Array(to * from);
  positions(from, to, attributes, 0.5).forEach((at, i) => {
    const low = Math.max(0, Math.floor(at));
    const high = Math.min(from - 1, Math.ceil(at));
    // Before the first pixel the fraction is negative and both neighbours are that pixel.
    data[i * from + low]! += 1 - (at - low);
    data[i * from + high]! += at - low;
  });
  return { key: keyOf("resize bilinear", from, to, attributes), rows: to, columns: from, data };
}

type Axis = typeof bilinearAxis;

/** The matrices of a resize of images to `size`. */
export function resizeMatrices(
  axis: Axis,
  [, height, width]: readonly number[],
  [toHeight, toWidth]: readonly number[],
  attributes: Attributes,
): { rows: AxisMatrix; columns: AxisMatrix } {
  return {
    rows: axis(height!, toHeight!, attributes),
    columns: axis(width!, toWidth!, attributes),
  };
}

function resample(x: tf.Tensor, matrices: { rows: AxisMatrix; columns: AxisMatrix }): tf.Tensor {
  return tf.engine().runKernel("Resample", { x }, matrices as unknown as tf.NamedAttrMap);
}

function gradient(axis: Axis) {
  return ({ dy, images }: NamedInputs, attributes: Attributes) => {
    const size = dy!.shape.slice(1, 3);
    const { rows, columns } = resizeMatrices(axis, images!.shape, size, attributes);
    return resample(dy!, { rows: transposed(rows), columns: transposed(columns) });
  };
}

/** Cuts boxes out of images and resizes them, by one matrix per box and axis. */
function cropAndResize({ image, boxes, boxInd }: NamedInputs, attributes: Attributes): tf.Tensor {
  const { cropSize, method, extrapolationValue } = attributes;
  const [top, left, bottom, right] = tf.split(boxes!, 4, 1) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  const axis = (from: tf.Tensor, to: tf.Tensor, size: number, crop: number) => {
    const steps = crop > 1 ? tf.div(tf.range(0, crop), crop - 1) : tf.tensor1d([0.5]);
    const at = tf.mul(tf.add(from, tf.mul(tf.sub(to, from), steps)), size - 1); // [boxes,crop]
    const pixel = tf.expandDims(method === "nearest" ? tf.floor(tf.add(at, 0.5)) : at, 2);
    const weights = tf.relu(tf.sub(1, tf.abs(tf.sub(pixel, tf.range(0, size)))));
    const inside = tf.logicalAnd(tf.greaterEqual(at, 0), tf.lessEqual(at, size - 1));
    return { weights, inside };
  };
  const [, height, width] = image!.shape as [number, number, number, number];
  const rows = axis(top, bottom, height, cropSize[0]);
  const columns = axis(left, right, width, cropSize[1]);
  const picked = tf.gather(image!, boxInd as tf.Tensor1D);
  const tall = tf.einsum("nyh,nhwc->nywc", rows.weights, picked);
  const crops = tf.einsum("nxw,nywc->nyxc", columns.weights, tall);
  const inside = tf.logicalAnd(tf.expandDims(rows.inside, 2), tf.expandDims(columns.inside, 1));
  return tf.where(tf.expandDims(inside, 3), crops, tf.scalar(extrapolationValue));
}

/** Turns images around a point; each pixel is the nearest one of before, or a colour. */
function rotate({ image }: NamedInputs, { radians, fillValue, center }: Attributes): tf.Tensor {
  const [n, height, width, channels] = image!.shape as [number, number, number, number];
  const [centerX, centerY] = tf.backend_util.getImageCenter(center, height, width);
  const [sine, cosine] = [Math.sin(radians), Math.cos(radians)];
  const sources = Array.from({ length: height * width }, (_, i) => {
    const [x, y] = [i % width - centerX, Math.floor(i / width) - centerY];
    const column = Math.round(x * cosine - y * sine + centerX);
    const row = Math.round(x * sine + y * cosine + centerY);
    const inside = column >= 0 && column < width && row >= 0 && row < height;
    return inside ? row * width + column : -1;
  });
  const colour = typeof fillValue === "number"
    ? Array(channels).fill(fillValue)
    : Array.from({ length: channels }, (_, i) => i === 3 ? 255 : fillValue[i]);
  const turned = tf.gather(
    tf.reshape(image!, [n, height * width, channels]),
    tf.tensor1d(sources.map((i) => Math.max(0, i)), "int32"),
    1,
  );
  const inside = tf.tensor2d(sources.map((i) => i >= 0), [height * width, 1], "bool");
  return tf.reshape(
    tf.where(inside, turned, tf.tensor1d(colour, image!.dtype as "float32")),
    image!.shape,
  );
}

/** Rules of this family. */
export const imageRules: readonly Rule[] = [
  {
    kernel: "ResizeBilinear",
    compose({ images }, attributes) {
      const matrices = resizeMatrices(bilinearAxis, images!.shape, attributes["size"], attributes);
      return resample(tf.cast(images!, "float32"), matrices);
    },
  },
  { kernel: "ResizeBilinearGrad", compose: gradient(bilinearAxis) },
  {
    kernel: "ResizeNearestNeighbor",
    compose({ images }, attributes) {
      const [height, width] = attributes["size"] as [number, number];
      const pick = (x: tf.Tensor, axis: number, to: number) => {
        const indices = nearestIndices(x.shape[axis]!, to, attributes);
        return tf.gather(x, tf.tensor1d(indices, "int32"), axis);
      };
      return pick(pick(images!, 1, height), 2, width);
    },
  },
  { kernel: "ResizeNearestNeighborGrad", compose: gradient(nearestAxis) },
  { kernel: "CropAndResize", compose: cropAndResize },
  { kernel: "RotateWithOffset", compose: rotate },
];
