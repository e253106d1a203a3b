import * as tf from "@tensorflow/tfjs";
import { kernel, type KernelCase, use } from "./case.ts";

type Pad = "valid" | "same" | number;

interface Geometry {
  readonly size?: readonly number[];
  readonly kernel?: readonly number[];
  readonly strides?: number | [number, number];
  readonly pad?: Pad | [[0, 0], [number, number], [number, number], [0, 0]];
  readonly dilations?: number | [number, number];
  readonly round?: "floor" | "round" | "ceil";
}

const GEOMETRIES: Readonly<Record<string, Geometry>> = {
  "1x1": { kernel: [1, 1] },
  "3x3": {},
  "3x3 valid": { pad: "valid" },
  "3x2": { kernel: [3, 2] },
  "5x5 on 4x5": { kernel: [5, 5] },
  "1x1, stride 2": { kernel: [1, 1], strides: 2 },
  "3x3, stride 2": { strides: 2 },
  "3x3, strides 2 and 1, valid": { strides: [2, 1], pad: "valid" },
  "2x2, stride 3": { kernel: [2, 2], strides: 3, pad: "valid" },
  "3x3, dilation 2": { size: [6, 5], dilations: 2 },
  "2x3, dilations 3 and 1": { size: [6, 5], kernel: [2, 3], dilations: [3, 1], pad: "valid" },
  "3x3, padded by 2": { pad: 2 },
  "3x3, padded unevenly": { pad: [[0, 0], [0, 2], [1, 0], [0, 0]] },
  "3x3, stride 2, rounded up": { size: [6, 6], strides: 2, pad: 0, round: "ceil" },
  "3x3, stride 2, rounded down": { size: [6, 6], strides: 2, pad: 1, round: "floor" },
};

function convolutions(depthwise: boolean): KernelCase[] {
  return Object.entries(GEOMETRIES).map(([title, geometry], i) => {
    const { size = [4, 5], kernel = [3, 3], strides = 1, pad = "same" } = geometry;
    const { dilations = 1, round } = geometry;
    const convolve = depthwise ? tf.depthwiseConv2d : tf.conv2d;
    return use(
      title,
      (x: tf.Tensor4D, w: tf.Tensor4D) =>
        convolve(x, w, strides, pad as "same", "NHWC", dilations, round),
      [[2, ...size, 2], [...kernel, 2, 1 + i % 2]], // depthwise: with a multiplier and without
      { tolerance: 5e-5 },
    );
  });
}

const transposedConvolution = (title: string, kernel: number[], stride: number, pad: Pad) => {
  const [height, width] = pad === "same"
    ? [3 * stride, 4 * stride]
    : [2 * stride + kernel[0]!, 3 * stride + kernel[1]!];
  return use(
    title,
    (x: tf.Tensor4D, w: tf.Tensor4D) =>
      tf.conv2dTranspose(x, w, [2, height, width, 2], stride, pad as "same"),
    [[2, 3, 4, 3], [...kernel, 2, 3]],
  );
};

const ofInterest = (cases: KernelCase[], words: readonly string[]) =>
  cases.filter(({ title }) => words.some((word) => title.startsWith(word)));

/** Cases of the family. */
export const convolutionCases: Readonly<Record<string, readonly KernelCase[]>> = {
  Conv2D: [
    ...convolutions(false),
    use("one axis", (x: tf.Tensor3D, w: tf.Tensor3D) => tf.conv1d(x, w, 2, "same"), [[2, 7, 3], [
      3,
      3,
      2,
    ]]),
    use(
      "separable",
      (x: tf.Tensor4D, d: tf.Tensor4D, p: tf.Tensor4D) => tf.separableConv2d(x, d, p, 1, "same"),
      [[2, 4, 5, 3], [3, 3, 3, 1], [1, 1, 3, 2]],
    ),
  ],
  Conv2DBackpropInput: [
    transposedConvolution("3x3, stride 2, same", [3, 3], 2, "same"),
    transposedConvolution("2x2, stride 2, valid", [2, 2], 2, "valid"),
    transposedConvolution("3x3, stride 1", [3, 3], 1, "same"),
    transposedConvolution("4x3, stride 2, valid", [4, 3], 2, "valid"),
  ],
  Conv2DBackpropFilter: [
    ...ofInterest(convolutions(false), ["3x3, stride 2", "1x1"])
      .map((each) => ({ ...each, title: `${each.title}, again` })),
    ...[1, 2].map((stride) =>
      use(
        `more channels than pixels, stride ${stride}`,
        (x: tf.Tensor4D, w: tf.Tensor4D) => tf.conv2d(x, w, stride, "same"),
        [[3, 3, 4, 2], [3, 3, 2, 13]],
        { tolerance: 5e-5 },
      )
    ),
  ],
  DepthwiseConv2dNative: convolutions(true),
  DepthwiseConv2dNativeBackpropInput: [
    use(
      "its own",
      (dy: tf.Tensor4D, w: tf.Tensor4D) =>
        kernel("DepthwiseConv2dNativeBackpropInput", { dy, filter: w }, {
          strides: 2,
          pad: "same",
          dilations: 1,
          inputShape: [2, 5, 5, 3],
        }),
      [[2, 3, 3, 6], [3, 3, 3, 2]],
    ),
  ],
  DepthwiseConv2dNativeBackpropFilter: [
    use(
      "its own",
      (x: tf.Tensor4D, dy: tf.Tensor4D) =>
        kernel("DepthwiseConv2dNativeBackpropFilter", { x, dy }, {
          strides: 2,
          pad: "same",
          dilations: 1,
          filterShape: [3, 3, 3, 2],
        }),
      [[2, 5, 5, 3], [2, 3, 3, 6]],
    ),
  ],
};

const convolution3d = (
  title: string,
  kernel: number[],
  strides: number | [number, number, number],
  pad: "same" | "valid",
  options = {},
) =>
  use(title, (x: tf.Tensor5D, w: tf.Tensor5D) => tf.conv3d(x, w, strides, pad), [
    [2, 3, 4, 3, 2],
    [...kernel, 2, 2],
  ], options);

/** Cases of the family. */
export const convolution3dCases: Readonly<Record<string, readonly KernelCase[]>> = {
  Conv3D: [
    convolution3d("1x1x1", [1, 1, 1], 1, "same"),
    convolution3d("2x3x2", [2, 3, 2], 1, "same"),
    convolution3d("2x2x2 valid", [2, 2, 2], 1, "valid"),
    convolution3d("2x2x2, strides 2, 1 and 2", [2, 2, 2], [2, 1, 2], "same"),
    use(
      "dilated",
      (x: tf.Tensor5D, w: tf.Tensor5D) => tf.conv3d(x, w, 1, "same", "NDHWC", [1, 2, 1]),
      [[1, 3, 4, 3, 2], [2, 2, 2, 2, 2]],
    ),
  ],
  Conv3DBackpropInputV2: [
    use(
      "transposed, stride 2",
      (x: tf.Tensor5D, w: tf.Tensor5D) => tf.conv3dTranspose(x, w, [1, 4, 4, 2, 2], 2, "same"),
      [[1, 2, 2, 1, 3], [2, 3, 2, 2, 3]],
    ),
  ],
  Conv3DBackpropFilterV2: [
    use(
      "its own",
      (x: tf.Tensor5D, dy: tf.Tensor5D) =>
        kernel("Conv3DBackpropFilterV2", { x, dy }, {
          strides: [2, 1, 1],
          pad: "same",
          filterShape: [2, 2, 1, 2, 2],
        }),
      [[2, 3, 4, 3, 2], [2, 2, 4, 3, 2]],
    ),
  ],
};
