import * as tf from "@tensorflow/tfjs";
import { given, ints, type KernelCase, use } from "./case.ts";

const curved = (fn: (x: tf.Tensor) => tf.Tensor) => (x: tf.Tensor) => fn(tf.square(x));

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
