import * as tf from "@tensorflow/tfjs";
import { nearestMatrix, transposed, upfirdnMatrix } from "../../../core/axis_matrix.ts";
import { haar, inverseHaar } from "../../../layers/haar.ts";
import { leakyRelu } from "../../../layers/activation.ts";
import { resample } from "../../../layers/resample.ts";
import { between, given, ints, kernel, type KernelCase, use } from "./case.ts";

type Pad = "valid" | "same" | number;

/** Cases of the family. */
export const matmulCases: Readonly<Record<string, readonly KernelCase[]>> = {
  BatchMatMul: [
    ...([[false, false], [true, false], [false, true], [true, true]] as const).flatMap((
      [transposeA, transposeB],
    ) =>
      [[], [2], [2, 2]].map((batch) =>
        use(
          `[${batch}] matrices${transposeA ? ", first turned" : ""}${
            transposeB ? ", second turned" : ""
          }`,
          (a: tf.Tensor, b: tf.Tensor) => tf.matMul(a, b, transposeA, transposeB),
          [
            [...batch, ...(transposeA ? [3, 2] : [2, 3])],
            [...batch, ...(transposeB ? [4, 3] : [3, 4])],
          ],
        )
      )
    ),
    use("one matrix times many", tf.matMul, [[2, 3], [2, 3, 2]]),
    use("many times one", tf.matMul, [[2, 2, 3], [3, 2]]),
    use("a batch of one times many", tf.matMul, [[1, 2, 3], [2, 3, 2]]),
    use("vectors", (a: tf.Tensor, b: tf.Tensor) => tf.dot(a, b), [[3], [3]]),
    use(
      "outer product",
      (a: tf.Tensor, b: tf.Tensor) => tf.outerProduct(a as tf.Tensor1D, b as tf.Tensor1D),
      [[
        3,
      ], [2]],
    ),
  ],
};

const einsum = (equation: string, ...shapes: number[][]) =>
  use(
    equation,
    (...xs: tf.Tensor[]) => tf.einsum(equation, ...xs.map((x, i) => i === 0 ? tf.square(x) : x)),
    shapes,
  );

/** Cases of the family. */
export const einsumCases: Readonly<Record<string, readonly KernelCase[]>> = {
  Einsum: [
    einsum("ij->ji", [2, 3]),
    einsum("ij->", [2, 3]),
    einsum("ij->i", [2, 3]),
    einsum("ij,jk->ik", [2, 3], [3, 2]),
    einsum("ij,jk->ki", [2, 3], [3, 2]),
    einsum("bij,bjk->bik", [2, 2, 3], [2, 3, 2]),
    einsum("bhqd,bhkd->bhqk", [2, 2, 3, 2], [2, 2, 4, 2]),
    einsum("i,j->ij", [2], [3]),
    einsum("i,i->", [3], [3]),
    einsum("ij, kj -> ik", [2, 3], [4, 3]),
    einsum("nhwc,nc->nhwc", [2, 3, 2, 4], [2, 4]),
  ],
};

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
  Conv2DBackpropFilter: ofInterest(convolutions(false), ["3x3, stride 2", "1x1"])
    .map((each) => ({ ...each, title: `${each.title}, again` })),
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

type Window = readonly [
  title: string,
  size: number | [number, number],
  stride: number | [number, number],
  pad: Pad,
  round?: "floor" | "ceil",
];

const WINDOWS: readonly Window[] = [
  ["2x2", 2, 2, "valid"],
  ["3x3, stride 1", 3, 1, "same"],
  ["3x3, stride 2", 3, 2, "same"],
  ["2x3, strides 1 and 2", [2, 3], [1, 2], "valid"],
  ["2x2, stride 3", 2, 3, "same"],
  ["3x3, padded by 1", 3, 2, 1],
  ["2x2, stride 2, rounded up", 2, 2, 0, "ceil"],
];

type Pool = typeof tf.maxPool;

const pools = (pool: Pool, windows = WINDOWS) =>
  windows.map(([title, size, stride, pad, round]) =>
    use(title, (x: tf.Tensor4D) => pool(x, size, stride, pad, round), [[2, 5, 6, 2]])
  );

const pools3d = (pool: typeof tf.maxPool3d) =>
  ([["2x2x2", 2, 2, "valid"], ["3x3x3, stride 1", 3, 1, "same"], [
    "2x3x3, strides 1, 2 and 2",
    [2, 3, 3],
    [1, 2, 2],
    "same",
  ]] as const).map(([title, size, stride, pad]) =>
    use(
      title,
      (x: tf.Tensor5D) => pool(x, size as [number, number, number], stride as 2, pad),
      [[1, 3, 4, 5, 2]],
    )
  );

const again = (cases: readonly KernelCase[]) =>
  cases.slice(0, 1).map((each) => ({ ...each, title: `derivative of ${each.title}` }));

/** Cases of the family. */
export const poolingCases: Readonly<Record<string, readonly KernelCase[]>> = {
  MaxPool: [
    ...pools(tf.maxPool),
    use("negative numbers, padded", (x: tf.Tensor4D) => tf.maxPool(x, 3, 1, "same"), [
      between(-3, -1, 1, 3, 4, 2),
    ]),
    use("ties", (x: tf.Tensor4D) => tf.maxPool(x, 2, 1, "same"), [
      given([1, 1, 1, 0, 0, 1, 1, 1, 1], [1, 3, 3, 1]),
    ], { smooth: false }),
    use("int32", (x: tf.Tensor4D) => tf.maxPool(x, 2, 2, "valid"), [
      ints([1, 2, 3, 4], [1, 2, 2, 1]),
    ], { order: 0 }),
    use("dilated", (x: tf.Tensor4D) => tf.pool(x, 2, "max", "valid", 2, 1), [[1, 5, 6, 2]]),
  ],
  AvgPool: [
    ...pools(tf.avgPool),
    use("dilated", (x: tf.Tensor4D) => tf.pool(x, 2, "avg", "valid", 2, 1), [[1, 5, 6, 2]]),
  ],
  MaxPool3D: pools3d(tf.maxPool3d),
  AvgPool3D: pools3d(tf.avgPool3d),
  MaxPoolGrad: again(pools(tf.maxPool)),
  MaxPool3DGrad: again(pools3d(tf.maxPool3d)),
  AvgPoolGrad: again(pools(tf.avgPool)),
  AvgPool3DGrad: again(pools3d(tf.avgPool3d)),
  MaxPoolWithArgmax: ([[2, "valid", false], [3, "same", true]] as const).map(([size, pad, batch]) =>
    use(`${size}x${size} ${pad}`, (x: tf.Tensor4D) => {
      const { result, indexes } = tf.maxPoolWithArgmax(x, size, 2, pad, batch);
      return [result!, indexes!];
    }, [[2, 4, 6, 3]])
  ),
};

const dilation = (
  title: string,
  strides: number,
  pad: "same" | "valid",
  dilations: number,
  order: 1 | 2,
) =>
  use(
    title,
    (x: tf.Tensor4D, w: tf.Tensor3D) => tf.dilation2d(x, w, strides, pad, dilations),
    [[2, 5, 6, 2], [2, 3, 2]],
    { order },
  );

const dilations = [
  dilation("same", 1, "same", 1, 1),
  dilation("stride 2", 2, "same", 1, 2),
  dilation("dilation 2, valid", 1, "valid", 2, 1),
];

/** Cases of the family. */
export const morphologyCases: Readonly<Record<string, readonly KernelCase[]>> = {
  Dilation2D: dilations,
  Dilation2DBackpropInput: again(dilations.slice(1)),
  Dilation2DBackpropFilter: again(dilations.slice(1)),
};

const response = (...attributes: [number, number, number, number]) =>
  use(`[${attributes}]`, (x: tf.Tensor4D) => tf.localResponseNormalization(x, ...attributes), [[
    1,
    2,
    3,
    5,
  ]]);

/** Cases of the family. */
export const normalizationCases: Readonly<Record<string, readonly KernelCase[]>> = {
  FusedBatchNorm: [
    use(
      "all",
      (x: tf.Tensor4D, m: tf.Tensor1D, v: tf.Tensor1D, o: tf.Tensor1D, s: tf.Tensor1D) =>
        tf.batchNorm(x, m, v, o, s, 0.1),
      [[2, 3, 2, 4], [4], between(0.3, 2, 4), [4], [4]],
    ),
    use(
      "neither offset nor scale",
      (x: tf.Tensor4D, m: tf.Tensor1D, v: tf.Tensor1D) => tf.batchNorm(x, m, v),
      [[2, 3, 2, 4], [4], between(0.3, 2, 4)],
      { order: 0 }, // TensorFlow.js cannot differentiate with optional inputs missing
    ),
    use(
      "offset only",
      (x: tf.Tensor2D, m: tf.Tensor1D, v: tf.Tensor1D, o: tf.Tensor1D) => tf.batchNorm(x, m, v, o),
      [[2, 4], [4], between(0.3, 2, 4), [4]],
      { order: 0 },
    ),
    use(
      "scale only",
      (x: tf.Tensor3D, m: tf.Tensor1D, v: tf.Tensor1D, s: tf.Tensor1D) =>
        tf.batchNorm(x, m, v, undefined, s),
      [[2, 3, 4], [4], between(0.3, 2, 4), [4]],
      { order: 0 },
    ),
    use(
      "a mean per number",
      (x: tf.Tensor4D, m: tf.Tensor4D, v: tf.Tensor4D, o: tf.Tensor4D, s: tf.Tensor4D) =>
        tf.batchNorm(x, m, v, o, s),
      [
        [2, 3, 2, 2],
        [2, 3, 2, 2],
        between(0.3, 2, 2, 3, 2, 2),
        [2, 3, 2, 2],
        [2, 3, 2, 2],
      ],
    ),
  ],
  LRN: [response(1, 1, 0.5, 0.5), response(2, 2, 0.3, 0.75), response(5, 1, 1, 1)],
  LRNGrad: again([response(1, 1.5, 0.7, 0.4)]),
};

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

type Activation = "linear" | "relu" | "relu6" | "elu" | "sigmoid" | "prelu" | "leakyrelu";

/* They are fused only where nothing is differentiated. */
const fusedConvolution = (convolve: typeof tf.fused.conv2d) =>
  (["linear", "relu", "relu6", "elu", "sigmoid", "prelu", "leakyrelu"] as Activation[]).map(
    (activation) =>
      use(
        activation,
        (x: tf.Tensor4D, filter: tf.Tensor4D, bias: tf.Tensor1D, slopes: tf.Tensor1D) =>
          convolve({
            x,
            filter,
            strides: 1,
            pad: "same",
            activation,
            bias,
            leakyreluAlpha: 0.3,
            ...(activation === "prelu" && { preluActivationWeights: slopes }),
          }),
        [[1, 4, 5, 3], [3, 3, 3, convolve === tf.fused.conv2d ? 3 : 1], [3], [3]],
        { order: 0 },
      ),
  );

/** Cases of the family. */
export const fusedCases: Readonly<Record<string, readonly KernelCase[]>> = {
  FusedConv2D: [
    ...fusedConvolution(tf.fused.conv2d),
    use(
      "no bias, stride 2",
      (x: tf.Tensor4D, filter: tf.Tensor4D) =>
        tf.fused.conv2d({ x, filter, strides: 2, pad: "valid", activation: "relu" }),
      [[1, 5, 5, 2], [3, 3, 2, 3]],
      { order: 0 },
    ),
  ],
  FusedDepthwiseConv2D: fusedConvolution(tf.fused.depthwiseConv2d as typeof tf.fused.conv2d),
  _FusedMatMul: [
    use(
      "bias, relu",
      (a: tf.Tensor2D, b: tf.Tensor2D, bias: tf.Tensor1D) =>
        tf.fused.matMul({ a, b, bias, activation: "relu" }),
      [[2, 3], [3, 4], [4]],
      { order: 0 },
    ),
    use(
      "turned, sigmoid",
      (a: tf.Tensor2D, b: tf.Tensor2D) =>
        tf.fused.matMul({ a, b, transposeA: true, transposeB: true, activation: "sigmoid" }),
      [[3, 2], [4, 3]],
      { order: 0 },
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
