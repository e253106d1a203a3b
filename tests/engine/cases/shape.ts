import * as tf from "@tensorflow/tfjs";
import { bools, ints, kernel, type KernelCase, use } from "./case.ts";

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
