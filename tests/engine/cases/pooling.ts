import * as tf from "@tensorflow/tfjs";
import { between, given, ints, type KernelCase, use } from "./case.ts";

type Pad = "valid" | "same" | number;

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
