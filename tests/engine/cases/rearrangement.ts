import * as tf from "@tensorflow/tfjs";
import { ints, type KernelCase, use } from "./case.ts";

const curved = (fn: (x: tf.Tensor) => tf.Tensor) => (x: tf.Tensor) => fn(tf.square(x));

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
