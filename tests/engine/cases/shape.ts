import * as tf from "@tensorflow/tfjs";
import { between, bools, given, ints, kernel, type KernelCase, use } from "./case.ts";

type Axes = number | number[] | undefined;
type Reduce = (x: tf.Tensor, axis?: Axes, keepDims?: boolean) => tf.Tensor;

const AXES: readonly (readonly [readonly number[], Axes])[] = [
  [[], undefined],
  [[5], undefined],
  [[5], 0],
  [[2, 3], -1],
  [[2, 3, 4], [0, 2]],
  [[2, 3, 2, 4], undefined],
  [[2, 3, 2, 4], 0],
  [[2, 3, 2, 4], -1],
  [[2, 3, 2, 4], [1, 2]],
  [[2, 3, 2, 4], [1, 2, 3]],
  [[2, 3, 2, 4], [0, 3]],
  [[2, 3, 2, 4], []],
  [[2, 1, 3, 2, 2], [1, 3]],
];

function reductions(fn: Reduce, low = -2, high = 2, options = {}): KernelCase[] {
  return AXES.flatMap(([shape, axis], i) =>
    (i % 3 === 0 ? [false, true] : [i % 3 === 1]).map((keep) =>
      use(
        `[${shape}] over ${JSON.stringify(axis) ?? "all"}${keep ? ", kept" : ""}`,
        (x: tf.Tensor) => fn(x, axis, keep),
        [between(low, high, ...shape)],
        options,
      )
    )
  );
}

const onIntegers = (fn: Reduce) => [
  use("int32", (x: tf.Tensor) => fn(x, 1), [ints([1, -2, 3, 4, 5, -6], [2, 3])], { order: 0 }),
  use("bool", (x: tf.Tensor) => fn(x, 1), [bools([1, 0, 1, 0, 0, 0], [2, 3])], { order: 0 }),
];

const truths = (fn: Reduce) =>
  [undefined, 0, -1, [0, 1]].flatMap((axis) =>
    [false, true].map((keep) =>
      use(`over ${axis ?? "all"}${keep ? ", kept" : ""}`, (x: tf.Tensor) => fn(x, axis, keep), [
        bools([1, 0, 1, 1, 1, 1], [2, 3]),
      ], { order: 0 })
    )
  ).concat([
    use(
      "of a comparison",
      (x: tf.Tensor) => tf.where(fn(tf.greater(x, 0), [1, 2], true), x, tf.square(x)),
      [[2, 3, 2, 4]],
    ),
  ]);

const argument = (fn: (x: tf.Tensor, axis?: number) => tf.Tensor) => [
  ...[[[5], 0], [[2, 3], -1], [[2, 3], 0], [[2, 3, 2, 4], 3], [[2, 3, 2, 4], 1], [[
    2,
    3,
    2,
    4,
  ], 0]].map(([shape, axis]) =>
    use(`[${shape}] over ${axis}`, (x: tf.Tensor) => fn(x, axis as number), [shape as number[]], {
      order: 0,
    })
  ),
  use("ties", (x: tf.Tensor) => fn(x, 0), [given([1, 3, 3, 1])], { order: 0 }),
  use("int32", (x: tf.Tensor) => fn(x, 0), [ints([1, 3, -3, 1])], { order: 0 }),
];

const ties = (fn: Reduce) =>
  use("ties", (x: tf.Tensor) => fn(x, 0), [given([1, 3, 3, 1])], { order: 1, smooth: false });

/** Cases of the family. */
export const reductionCases: Readonly<Record<string, readonly KernelCase[]>> = {
  Sum: [...reductions(tf.sum), ...onIntegers(tf.sum)],
  Mean: [...reductions(tf.mean), ...onIntegers(tf.mean)],
  // TensorFlow.js's product has no derivative over several axes that are not the last, nor over none.
  Prod: [
    ...reductions(tf.prod, 0.5, 1.5, { order: 0 }),
    ...onIntegers(tf.prod),
    ...[[[5], 0], [[2, 3], 1], [[2, 3], 0], [[2, 3, 2], [0, 2]], [[2, 3, 2, 2], [1, 2]]]
      .flatMap(([shape, axis]) =>
        [false, true].map((keep) =>
          use(
            `derivatives over ${axis}${keep ? ", kept" : ""} of [${shape}]`,
            (x: tf.Tensor) => tf.prod(x, axis as number[], keep),
            [between(-1.5, 1.5, ...shape as number[])],
          )
        )
      ),
    use("a zero", (x: tf.Tensor) => tf.prod(x), [given([2, 0, 3])]),
    use("two zeros", (x: tf.Tensor) => tf.prod(x), [given([2, 0, 3, 0])]),
    use("negative axis", (x: tf.Tensor) => tf.prod(x, -2), [[3, 2]]),
  ],
  Max: [...reductions(tf.max), ...onIntegers(tf.max), ties(tf.max)],
  Min: [...reductions(tf.min), ...onIntegers(tf.min), ties(tf.min)],
  All: truths(tf.all),
  Any: truths(tf.any),
  ArgMax: argument(tf.argMax),
  ArgMin: argument(tf.argMin),
};

const scan = (
  fn: (x: tf.Tensor, axis?: number, exclusive?: boolean, reverse?: boolean) => tf.Tensor,
) =>
  [[[5], 0], [[1], 0], [[2, 3], 0], [[3, 3], 0], [[2, 3, 4, 2], 1], [[2, 2, 2, 3], 3]]
    .flatMap(([shape, axis], i) =>
      [[false, false], [true, false], [false, true], [true, true]].filter((_, k) =>
        i === 0 || (i + k) % 3 === 0
      ).map(([exclusive, reverse]) =>
        use(
          `[${shape}] along ${axis}, ${exclusive ? "exclusive" : ""} ${reverse ? "reverse" : ""}`,
          (x: tf.Tensor) => fn(x, axis as number, exclusive, reverse),
          [between(-1.5, 1.5, ...shape as number[])],
        )
      )
    ).concat([
      use("int32", (x: tf.Tensor) => fn(x, 0), [ints([1, 2, 3])], { order: 0 }),
      use("bool", (x: tf.Tensor) => fn(x, 0), [bools([1, 0, 1])], { order: 0 }),
    ]);

/** Cases of the family. */
export const scanCases: Readonly<Record<string, readonly KernelCase[]>> = {
  Cumsum: scan(tf.cumsum),
  Cumprod: [
    ...scan(tf.cumprod),
    use("zeros", (x: tf.Tensor) => tf.cumprod(x), [given([2, 0, 3, 0, 4])]),
  ],
};

const to = (...shape: number[]) => (x: tf.Tensor) => tf.square(tf.reshape(x, shape));
const curved = (fn: (x: tf.Tensor) => tf.Tensor) => (x: tf.Tensor) => fn(tf.square(x));

/** Cases of the family. */
export const shapeCases: Readonly<Record<string, readonly KernelCase[]>> = {
  Reshape: [
    use("to a scalar", to(), [[1, 1]]),
    use("to a list", to(-1), [[2, 3, 2, 4]]),
    use("to an image", to(2, 3, 2, 4), [[6, 8]]),
    use("another image", to(2, 2, 3, 4), [[2, 3, 2, 4]]),
    use("moved ones", to(2, 1, 3, 4), [[2, 3, 1, 4]]),
    use("moved one into channels", to(2, 3, 4, 1), [[2, 3, 1, 4]]),
    use("rank 5", to(2, 3, 1, 2, 4), [[2, 3, 2, 4]]),
    use("int32", (x: tf.Tensor) => tf.reshape(x, [2, 2]), [ints([1, 2, 3, 4])], { order: 0 }),
  ],
  ExpandDims: [[[], 0], [[3], 1], [[3], -1], [[2, 3, 4], 0], [[2, 3, 4], -1], [[2, 3, 2, 4], 2]]
    .map(([shape, axis]) =>
      use(`[${shape}] at ${axis}`, curved((x) => tf.expandDims(x, axis as number)), [
        shape as number[],
      ])
    ),
  Fill: [
    use("float32", (x: tf.Tensor) => tf.mul(x, tf.fill([2, 3], 2.5)), [[2, 3]]),
    use("int32", (x: tf.Tensor) => tf.add(tf.cast(x, "int32"), tf.fill([3], 2, "int32")), [[3]], {
      order: 0,
    }),
    use("bool", (x: tf.Tensor) => tf.where(tf.fill([3], 1, "bool"), x, tf.square(x)), [[3]]),
    use("image", (x: tf.Tensor) => tf.mul(x, tf.fill([2, 3, 2, 4], -2)), [[2, 3, 2, 4]]),
    use("scalar", (x: tf.Tensor) => tf.mul(x, tf.fill([], 3)), [[]]),
  ],
  BroadcastTo: [
    use(
      "channels",
      (x: tf.Tensor) =>
        tf.getBackend() === "cpu"
          ? tf.broadcastTo(x, [2, 3, 2, 4])
          : kernel("BroadcastTo", { x }, { shape: [2, 3, 2, 4], inputShape: x.shape }),
      [[1, 1, 1, 4]],
    ),
  ],
  Tile: [[[3], [2]], [[2, 3], [1, 2]], [[2, 3, 2], [2, 1, 3]], [[2, 3, 2, 4], [2, 1, 1, 3]], [[
    2,
    1,
    1,
    4,
  ], [1, 3, 2, 1]], [[2, 1, 3, 1, 2], [1, 2, 1, 2, 2]]]
    .map(([shape, reps]) =>
      use(`[${shape}] by [${reps}]`, curved((x) => tf.tile(x, reps!)), [shape!])
    ).concat([use("int32", (x: tf.Tensor) => tf.tile(x, [2]), [ints([1, 2])], { order: 0 })]),
  Transpose: [[0], [1, 0], [2, 0, 1], [0, 3, 1, 2], [0, 2, 3, 1], [3, 2, 1, 0], [0, 1, 2, 3], [
    4,
    0,
    2,
    1,
    3,
  ]]
    .map((perm) =>
      use(`[${perm}]`, curved((x) => tf.transpose(x, perm)), [
        [2, 3, 4, 1, 2].slice(0, perm.length),
      ])
    ).concat([
      use(
        "there and back",
        curved((x) => tf.transpose(tf.transpose(x, [0, 3, 1, 2]), [0, 2, 3, 1])),
        [
          [2, 3, 2, 4],
        ],
      ),
      use("bool", (x: tf.Tensor) => tf.transpose(x), [bools([1, 0, 1, 1], [2, 2])], { order: 0 }),
    ]),
  Slice: [
    use("list", curved((x) => tf.slice(x, 1, 2)), [[5]]),
    use("to the end", curved((x) => tf.slice(x, [0, 1], [-1, -1])), [[2, 3]]),
    use("image", curved((x) => tf.slice(x, [0, 1, 0, 2], [2, 2, 2, 2])), [[2, 3, 2, 4]]),
    use("all", curved((x) => tf.slice(x, [0, 0])), [[2, 3]]),
    use("rank 5", curved((x) => tf.slice(x, [1, 0, 1, 0, 0], [1, 1, 2, 1, 2])), [[2, 1, 3, 2, 2]]),
    use("int32", (x: tf.Tensor) => tf.slice(x, 1), [ints([1, 2, 3])], { order: 0 }),
  ],
  Concat: [
    use("lists", (a: tf.Tensor, b: tf.Tensor) => tf.concat([a, tf.square(b)]), [[2], [3]]),
    ...[0, 1, 2, 3, -1].map((axis) =>
      use(
        `images along ${axis}`,
        (a: tf.Tensor, b: tf.Tensor) => tf.concat([tf.square(a), b, a], axis),
        [[2, 3, 2, 4], [2, 3, 2, 4].with(axis, 1)],
      )
    ),
    use("rank 5", (a: tf.Tensor, b: tf.Tensor) => tf.concat([a, tf.square(b)], 2), [
      [2, 1, 3, 1, 2],
      [2, 1, 1, 1, 2],
    ]),
    use("int32", (a: tf.Tensor, b: tf.Tensor) => tf.concat([a, b]), [ints([1]), ints([2])], {
      order: 0,
    }),
  ],
  SplitV: [
    use("equal", (x: tf.Tensor) => tf.split(tf.square(x), 3), [[6, 2]]),
    use("sizes", (x: tf.Tensor) => tf.split(tf.square(x), [1, 2, 2], 1), [[2, 5]]),
    use("the rest", (x: tf.Tensor) => tf.split(tf.square(x), [1, -1], 1), [[2, 5]]),
    use("channels", (x: tf.Tensor) => tf.split(tf.square(x), [1, 3], -1), [[2, 3, 2, 4]]),
    use("rows", (x: tf.Tensor) => tf.split(tf.square(x), 3, 1), [[2, 3, 2, 4]]),
    use("one is left over", (x: tf.Tensor) => tf.split(tf.square(x), 2, 1)[1]!, [[2, 4]]),
  ],
  Pack: [0, 1, -1].flatMap((axis) =>
    [[3], [2, 3], [2, 3, 4]].map((shape) =>
      use(
        `[${shape}] at ${axis}`,
        (a: tf.Tensor, b: tf.Tensor) => tf.stack([tf.square(a), b, a], axis),
        [shape, shape],
      )
    )
  ).concat([use("scalars", (a: tf.Tensor, b: tf.Tensor) => tf.stack([a, tf.square(b)]), [[], []])]),
  Unpack: [[[3], 0], [[2, 3], 1], [[2, 3, 2, 4], 0], [[2, 3, 2, 4], -1], [[2, 1, 3, 1, 2], 2]]
    .map(([shape, axis]) =>
      use(`[${shape}] at ${axis}`, (x: tf.Tensor) => tf.unstack(tf.square(x), axis as number), [
        shape as number[],
      ])
    ),
  PadV2: [
    use("list", curved((x) => tf.pad(x, [[1, 2]])), [[3]]),
    use("with a number", curved((x) => tf.pad(x, [[0, 1], [2, 0]], -1.5)), [[2, 3]]),
    use("image", curved((x) => tf.pad(x, [[0, 0], [1, 2], [0, 1], [2, 0]])), [[2, 3, 2, 4]]),
    use("by nothing", curved((x) => tf.pad(x, [[0, 0], [0, 0]])), [[2, 3]]),
    use("int32", (x: tf.Tensor) => tf.pad(x, [[1, 1]], 7), [ints([1, 2])], { order: 0 }),
  ],
  DepthToSpace: [
    use("by 2", curved((x) => tf.depthToSpace(x as tf.Tensor4D, 2)), [[2, 3, 2, 12]]),
    use("by 3", curved((x) => tf.depthToSpace(x as tf.Tensor4D, 3)), [[1, 1, 2, 9]]),
  ],
  SpaceToDepth: [
    use("as a derivative", (x: tf.Tensor4D) => tf.sin(tf.depthToSpace(x, 2)), [[1, 2, 3, 8]]),
  ],
};

const strided = (
  title: string,
  shape: number[],
  ...[begin, end, strides, ...masks]: [number[], number[], number[]?, ...number[]]
) => use(title, curved((x) => tf.stridedSlice(x, begin, end, strides, ...masks)), [shape]);

/** Cases of the family. */
export const rearrangementCases: Readonly<Record<string, readonly KernelCase[]>> = {
  StridedSlice: [
    strided("every other", [7], [0], [7], [2]),
    strided("from one on", [7], [1], [6], [3]),
    strided("backwards", [7], [6], [0], [-2]),
    strided("backwards to the beginning", [5], [4], [0], [-1], 0, 1),
    strided("all backwards", [5], [0], [0], [-1], 1, 1),
    strided("two axes", [4, 5], [0, 1], [4, 5], [2, 3]),
    // TensorFlow.js on the CPU drops axes right only where no other one is strided.
    strided("an axis dropped", [4, 5], [1, 0], [2, 5], [1, 1], 0, 0, 0, 0, 1),
    strided("an axis added", [4], [0, 0], [1, 4], [1, 2], 0, 0, 0, 1),
    strided("ellipsis", [2, 3, 4], [0, 1], [0, 4], [1, 2], 0, 0, 1),
    strided("image", [2, 4, 5, 3], [0, 0, 1, 0], [2, 4, 5, 3], [1, 2, 3, 1]),
    strided("one image", [2, 4, 5, 3], [1, 0, 0, 0], [2, 4, 5, 3], [1, 1, 1, 1], 0, 0, 0, 0, 1),
    strided("part of the rows", [4, 3], [1, 0], [3, 3]),
    strided("rank 5", [2, 3, 2, 4, 2], [0, 0, 0, 3, 0], [2, 3, 2, 0, 2], [1, 2, 1, -2, 1]),
    use("int32", (x: tf.Tensor) => tf.stridedSlice(x, [0], [3], [2]), [ints([1, 2, 3])], {
      order: 0,
    }),
  ],
  Reverse: [[[5], 0], [[2, 3], 1], [[2, 3], [0, 1]], [[2, 3, 2, 4], [1, 2]], [[
    2,
    3,
    2,
    4,
  ], -1], [[2, 1, 3, 2, 2], [2, 4]]]
    .map(([shape, axis]) =>
      use(`[${shape}] along [${axis}]`, curved((x) => tf.reverse(x, axis as number[])), [
        shape as number[],
      ])
    ),
  FlipLeftRight: [
    use("image", (x: tf.Tensor) => tf.image.flipLeftRight(tf.square(x) as tf.Tensor4D), [[
      2,
      3,
      4,
      2,
    ]]),
  ],
  MirrorPad: (["reflect", "symmetric"] as const).flatMap((mode) => [
    use(`${mode} list`, curved((x) => tf.mirrorPad(x, [[2, 1]], mode)), [[4]]),
    use(`${mode} matrix`, curved((x) => tf.mirrorPad(x, [[0, 2], [1, 0]], mode)), [[3, 2]]),
    use(`${mode} image`, curved((x) => tf.mirrorPad(x, [[0, 0], [1, 2], [2, 1], [0, 0]], mode)), [[
      2,
      3,
      4,
      2,
    ]]),
  ]),
  SpaceToBatchND: [
    use("image", curved((x) => tf.spaceToBatchND(x, [2, 2], [[0, 0], [0, 0]])), [[2, 4, 2, 3]]),
    use("padded", curved((x) => tf.spaceToBatchND(x, [2, 3], [[1, 0], [0, 2]])), [[1, 3, 4, 2]]),
    use("one axis", curved((x) => tf.spaceToBatchND(x, [2], [[0, 1]])), [[2, 3, 2]]),
  ],
  BatchToSpaceND: [
    use("image", curved((x) => tf.batchToSpaceND(x, [2, 2], [[0, 0], [0, 0]])), [[8, 2, 1, 3]]),
    use("cropped", curved((x) => tf.batchToSpaceND(x, [2, 2], [[1, 0], [0, 1]])), [[4, 2, 3, 2]]),
    use("one axis", curved((x) => tf.batchToSpaceND(x, [2], [[0, 1]])), [[4, 2, 2]]),
  ],
};

const pick = (indices: number[] | number[][], axis: number, batchDims = 0) =>
  curved((x) =>
    tf.gather(x, tf.tensor(indices, undefined, "int32") as tf.Tensor1D, axis, batchDims)
  );

/** Cases of the family. */
export const indexingCases: Readonly<Record<string, readonly KernelCase[]>> = {
  GatherV2: [
    use("list", pick([2, 0, 2, 2], 0), [[3]]),
    use("rows", pick([2, 0, 2], 0), [[3, 2]]),
    use("columns", pick([1, 1, 0], 1), [[3, 2]]),
    use("last axis", pick([1, 1, 0], -1), [[3, 2]]),
    use("image rows", pick([1, 1, 0, 2], 1), [[2, 3, 2, 4]]),
    use("image channels", pick([3, 0, 3], 3), [[2, 3, 2, 4]]),
    use("matrix of indices", pick([[0, 1], [1, 1], [0, 0]], 1), [[3, 2, 2]]),
    use("in each batch", pick([[0, 2], [1, 1]], 1, 1), [[2, 3, 2]]),
    use("in each batch, last axis", pick([[0, 2], [1, 1]], 2, 1), [[2, 2, 3]]),
    use("indices as an operand", (x: tf.Tensor, i: tf.Tensor1D) => tf.gather(tf.square(x), i), [
      [3, 2],
      ints([2, 2, 0]),
    ]),
    use("int32", (x: tf.Tensor) => tf.gather(x, [1, 0]), [ints([5, 6])], { order: 0 }),
  ],
  GatherNd: [
    use("numbers", (x: tf.Tensor, i: tf.Tensor) => tf.gatherND(tf.square(x), i), [
      [3, 2],
      ints([2, 0, 0, 1, 2, 0], [3, 2]),
    ]),
    use("rows", (x: tf.Tensor, i: tf.Tensor) => tf.gatherND(tf.square(x), i), [
      [3, 2],
      ints([2, 0, 2], [3, 1]),
    ]),
    use("rows of images", (x: tf.Tensor, i: tf.Tensor) => tf.gatherND(tf.square(x), i), [
      [2, 3, 2, 4],
      ints([1, 2, 0, 0], [2, 2]),
    ]),
  ],
  ScatterNd: [
    use("numbers", (x: tf.Tensor, i: tf.Tensor) => tf.scatterND(i, tf.square(x), [5]), [
      [3],
      ints([2, 0, 4], [3, 1]),
    ]),
    use("that meet", (x: tf.Tensor, i: tf.Tensor) => tf.scatterND(i, tf.square(x), [3]), [
      [6],
      ints([2, 0, 2, 2, 0, 2], [6, 1]),
    ]),
    use("rows", (x: tf.Tensor, i: tf.Tensor) => tf.scatterND(i, tf.square(x), [4, 2]), [
      [3, 2],
      ints([2, 0, 2], [3, 1]),
    ]),
    use("int32", (x: tf.Tensor, i: tf.Tensor) => tf.scatterND(i, x, [3]), [
      ints([5, 6]),
      ints([2, 2], [2, 1]),
    ], { order: 0 }),
  ],
  TensorScatterUpdate: [
    use(
      "rows",
      (x: tf.Tensor, i: tf.Tensor, y: tf.Tensor) => tf.tensorScatterUpdate(tf.square(x), i, y),
      [[4, 2], ints([2, 0], [2, 1]), [2, 2]],
    ),
  ],
  TopK: [
    use("list", (x: tf.Tensor) => {
      const { values, indices } = tf.topk(x, 2);
      return [values, indices];
    }, [given([1, 4, 2, 3])]),
    use("rows", (x: tf.Tensor) => tf.topk(tf.square(x), 2).values, [[3, 4]]),
    use("ties", (x: tf.Tensor) => tf.topk(x, 3).indices, [given([1, 4, 4, 3, 4])], { order: 0 }),
    use("int32", (x: tf.Tensor) => tf.topk(x, 2).values, [ints([1, 4, 2])], { order: 0 }),
  ],
  OneHot: [
    use("classes", (i: tf.Tensor1D) => tf.oneHot(i, 3), [ints([2, 0, 1])], { order: 0 }),
    use("outside", (i: tf.Tensor1D) => tf.oneHot(i, 3), [ints([-1, 3, 1])], { order: 0 }),
    use("matrix", (i: tf.Tensor1D) => tf.oneHot(i, 3), [ints([2, 0, 1, 1], [2, 2])], { order: 0 }),
    use("other numbers", (i: tf.Tensor1D) => tf.oneHot(i, 3, 0.7, -0.3, "float32"), [
      ints([2, 0, 1]),
    ], { order: 0 }),
  ],
  UnsortedSegmentSum: [
    use("list", (x: tf.Tensor, s: tf.Tensor1D) => tf.unsortedSegmentSum(tf.square(x), s, 3), [
      [5],
      ints([2, 0, 2, 2, 0]),
    ]),
    use("outside", (x: tf.Tensor, s: tf.Tensor1D) => tf.unsortedSegmentSum(tf.square(x), s, 2), [
      [5],
      ints([1, 0, -1, 2, 7]),
    ]),
    use("rows", (x: tf.Tensor, s: tf.Tensor1D) => tf.unsortedSegmentSum(tf.square(x), s, 3), [
      [4, 2, 2],
      ints([2, 0, 2, 2]),
    ]),
    use("images", (x: tf.Tensor, s: tf.Tensor1D) => tf.unsortedSegmentSum(tf.square(x), s, 2), [
      [3, 2, 2, 4],
      ints([1, 0, 1]),
    ]),
  ],
  Diag: [[3], [2, 2]].map((shape) => use(`[${shape}]`, curved(tf.diag), [shape])),
  SparseToDense: [
    use(
      "numbers",
      (i: tf.Tensor2D, x: tf.Tensor1D) => tf.sparseToDense(i, tf.square(x), [3, 2], 0.5),
      [ints([2, 0, 0, 1], [2, 2]), [2]],
    ),
    use("one number", (i: tf.Tensor1D, x: tf.Scalar) => tf.sparseToDense(i, x, [4]), [
      ints([2, 0]),
      [],
    ]),
  ],
  Bincount: [
    use("counts", (x: tf.Tensor1D) => tf.bincount(x, tf.tensor1d([]), 4), [ints([1, 3, 1, 9])], {
      order: 0,
    }),
    use("weights", (x: tf.Tensor1D, w: tf.Tensor1D) => tf.bincount(x, tf.square(w), 4), [
      ints([1, 3, 1, 9]),
      [4],
    ]),
  ],
  DenseBincount: [
    use("counts", (x: tf.Tensor1D) => tf.denseBincount(x, tf.tensor1d([]), 4), [ints([1, 3, 1])], {
      order: 0,
    }),
    use("rows", (x: tf.Tensor2D, w: tf.Tensor2D) => tf.denseBincount(x, tf.square(w), 3), [
      ints([1, 0, 1, 2, 2, 9], [2, 3]),
      [2, 3],
    ]),
    use("binary", (x: tf.Tensor2D) => tf.denseBincount(x, tf.tensor2d([], [0, 0]), 3, true), [
      ints([1, 0, 1, 2, 2, 9], [2, 3]),
    ], { order: 0 }),
  ],
  SearchSorted: (["left", "right"] as const).map((side) =>
    use(side, (s: tf.Tensor, x: tf.Tensor) => tf.searchSorted(s, x, side), [
      given([1, 2, 2, 3, 0, 5, 6, 7], [2, 4]),
      given([2, 0, 9, 5, 6, -1], [2, 3]),
    ], { order: 0 })
  ),
};

/** Cases of the family. */
export const generationCases: Readonly<Record<string, readonly KernelCase[]>> = {
  Range: [
    use("up", (x: tf.Tensor) => tf.mul(x, tf.range(0, 5)), [[5]]),
    use("down", (x: tf.Tensor) => tf.mul(x, tf.range(3, 0)), [[3]]),
    use("by fractions", (x: tf.Tensor) => tf.mul(x, tf.range(1, 2, 0.3)), [[4]]),
    use("int32", (x: tf.Tensor) => tf.add(x, tf.range(4, -4, -3, "int32")), [ints([0, 0, 0])], {
      order: 0,
    }),
  ],
  LinSpace: [
    use("five", (x: tf.Tensor) => tf.mul(x, tf.linspace(-1, 2, 5)), [[5]]),
    use("one", (x: tf.Tensor) => tf.mul(x, tf.linspace(3, 2, 1)), [[1]]),
  ],
};
