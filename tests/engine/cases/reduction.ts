import * as tf from "@tensorflow/tfjs";
import { between, bools, given, ints, type KernelCase, use } from "./case.ts";

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
