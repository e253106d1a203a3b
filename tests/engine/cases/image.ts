import * as tf from "@tensorflow/tfjs";
import { nearestMatrix, transposed, upfirdnMatrix } from "../../../core/axis_matrix.ts";
import { leakyRelu } from "../../../layers/activation.ts";
import { haar, inverseHaar } from "../../../layers/haar.ts";
import { resample } from "../../../layers/resample.ts";
import { given, ints, kernel, type KernelCase, use } from "./case.ts";

const resizes = (resize: typeof tf.image.resizeBilinear) =>
  [[6, 9], [3, 2], [4, 5], [2, 7], [1, 1]].flatMap((size) =>
    [[false, false], [true, false], [false, true]].map(([align, half]) =>
      use(
        `to ${size.join("x")}${align ? ", corners aligned" : ""}${half ? ", half pixels" : ""}`,
        (x: tf.Tensor4D) => resize(x, size as [number, number], align, half),
        [[1, 4, 5, 2]],
      )
    )
  );

/* TensorFlow.js's kernel gives the wrong shape for images that are not square. */
const resizeGradient = (kernelName: string, attributes: object) =>
  use(
    "its own",
    (dy: tf.Tensor4D, images: tf.Tensor4D) => kernel(kernelName, { dy, images }, attributes),
    [[1, 6, 9, 2], [1, 4, 4, 2]],
  );

const crop = (method: "bilinear" | "nearest", size: [number, number], options = {}) =>
  use(
    `${method} ${size.join("x")}`,
    (x: tf.Tensor4D, boxes: tf.Tensor2D, box: tf.Tensor1D) =>
      tf.image.cropAndResize(x, boxes, box, size, method, 0.3),
    [
      [2, 4, 5, 2],
      given([0.1, 0.2, 0.83, 0.91, -0.2, 0.13, 1.17, 0.7, 0.9, 0.8, 0.2, 0.1], [3, 4]),
      ints([0, 1, 1]),
    ],
    options,
  );

/** Cases of the family. */
export const imageCases: Readonly<Record<string, readonly KernelCase[]>> = {
  ResizeBilinear: [
    ...resizes(tf.image.resizeBilinear),
    use("int32", (x: tf.Tensor4D) => tf.image.resizeBilinear(x, [3, 3]), [
      ints([1, 2, 3, 4], [1, 2, 2, 1]),
    ], { order: 0 }),
  ],
  ResizeNearestNeighbor: [
    ...resizes(tf.image.resizeNearestNeighbor as typeof tf.image.resizeBilinear),
    use("int32", (x: tf.Tensor4D) => tf.image.resizeNearestNeighbor(x, [3, 3]), [
      ints([1, 2, 3, 4], [1, 2, 2, 1]),
    ], { order: 0 }),
  ],
  ResizeBilinearGrad: [
    resizeGradient("ResizeBilinearGrad", { alignCorners: false }),
    { ...resizeGradient("ResizeBilinearGrad", { alignCorners: true }), title: "corners aligned" },
  ],
  ResizeNearestNeighborGrad: [
    resizeGradient("ResizeNearestNeighborGrad", { alignCorners: false }),
    {
      ...resizeGradient("ResizeNearestNeighborGrad", { alignCorners: true }),
      title: "corners aligned",
    },
  ],
  CropAndResize: [
    crop("bilinear", [3, 4]),
    crop("bilinear", [1, 1], { order: 1 }),
    crop("nearest", [3, 4], { order: 1, smooth: false }),
  ],
  RotateWithOffset: [
    use("by 0.7", (x: tf.Tensor4D) => tf.image.rotateWithOffset(tf.square(x) as tf.Tensor4D, 0.7), [
      [
        2,
        4,
        5,
        2,
      ],
    ]),
    use(
      "around a corner, on a colour",
      (x: tf.Tensor4D) => tf.image.rotateWithOffset(x, -1, [0.3, 0.2, 0.1], [0, 1]),
      [[1, 4, 5, 4]],
    ),
  ],
};

const rows = upfirdnMatrix(4, {
  up: 2,
  pad: [2, 1],
  taps: [1, 3, 3, 1].map((n) => n / 8),
  gain: 2,
});

/** Cases of the family. */
export const domainCases: Readonly<Record<string, readonly KernelCase[]>> = {
  Haar: [1, 3].map((c) => use(`${c} channels`, (x: tf.Tensor4D) => haar(x), [[2, 4, 6, c]])),
  InverseHaar: [1, 3].map((c) =>
    use(`${c} channels`, (x: tf.Tensor4D) => inverseHaar(x), [[2, 2, 3, 4 * c]])
  ),
  Resample: [
    use("upfirdn", (x: tf.Tensor4D) => resample(x, rows, nearestMatrix(5, 2)), [[2, 4, 5, 3]]),
    use(
      "back",
      (x: tf.Tensor4D) => resample(x, transposed(rows), transposed(nearestMatrix(5, 2))),
      [
        [2, 8, 10, 3],
      ],
    ),
  ],
  LeakyReluGradient: [
    use("slope 0.2", (x: tf.Tensor) => tf.square(leakyRelu(x)), [[2, 3, 2, 4]]),
    use("slope 0.6", (x: tf.Tensor) => tf.square(leakyRelu(x, 0.6)), [[5]]),
  ],
};
