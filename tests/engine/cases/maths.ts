import * as tf from "@tensorflow/tfjs";
import {
  between,
  everyPair,
  everyRank,
  given,
  ints,
  kernel,
  type KernelCase,
  use,
} from "./case.ts";
import { exact, onIntegers, unary } from "./unary.ts";

/** Cases of the family. */
export const mathsCases: Readonly<Record<string, readonly KernelCase[]>> = {
  Acos: unary(tf.acos, -0.8, 0.8),
  Acosh: unary(tf.acosh, 1.3, 3),
  Asin: unary(tf.asin, -0.8, 0.8),
  Asinh: unary(tf.asinh),
  Atan: unary(tf.atan),
  Atanh: unary(tf.atanh, -0.8, 0.8),
  Cos: unary(tf.cos, -7, 7),
  Cosh: unary(tf.cosh),
  Sin: unary(tf.sin, -7, 7),
  Sinh: unary(tf.sinh),
  Tan: unary(tf.tan, -1.2, 1.2),
  Atan2: [
    ...everyPair(tf.atan2, [0.3, 2, -2, -0.3]),
    use("quadrants and axes", tf.atan2, [
      given([1, 1, -1, -1, 0, 0, 1, -1, 0]),
      given([1, -1, 1, -1, 1, -1, 0, 0, 0]),
    ], { order: 0 }),
  ],
  Erf: everyRank(tf.erf, -2, 2, { tolerance: 1e-4 }),
  Expm1: unary(
    tf.expm1,
    -2,
    2,
    [
      exact(tf.expm1, [1e-6]),
      exact(tf.expm1, [-1e-4]),
      exact(tf.expm1, [-90]),
      exact(tf.expm1, [80]),
      exact(tf.expm1, [Infinity, -Infinity]),
    ].map((each, i) => ({ ...each, title: `written out ${i}` })),
  ),
  Log1p: unary(
    tf.log1p,
    -0.7,
    3,
    [
      exact(tf.log1p, [1e-6]),
      exact(tf.log1p, [-1e-4]),
      exact(tf.log1p, [-0.49]), // the hardest for a series
      exact(tf.log1p, [1e8]),
      exact(tf.log1p, [-1, -2, Infinity]),
    ].map((each, i) => ({ ...each, title: `written out ${i}` })),
  ),
  Ceil: unary(tf.ceil, -3, 3, [exact(tf.ceil, [-1, -0.5, 0, 0.5])]),
  Floor: unary(tf.floor, -3, 3, [exact(tf.floor, [-1, -0.5, 0, 0.5])]),
  Round: unary(tf.round, -3, 3, [exact(tf.round, [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])]),
  FloorDiv: [
    ...everyPair((a, b) => tf.floorDiv(a, b), [-9, 9, 0.5, 2], { order: 0 }),
    use("int32", tf.floorDiv, [ints([7, -7, 7, -7, 0]), ints([2, 2, -2, -2, 3])], { order: 0 }),
    use("large int32", tf.floorDiv, [ints([16777216]), ints([3])], { order: 0 }),
    use("of int32 by div", tf.div, [ints([7, -7]), ints([2, 2])], { order: 0 }),
  ],
  Mod: [
    ...everyPair(tf.mod, [-9, 9, 1, 2]),
    use("signs", tf.mod, [given([7, -7, 7, -7, 0]), given([3, 3, -3, -3, -3])], { order: 0 }),
    use("int32", tf.mod, [ints([7, -7, 7, -7, 0]), ints([3, 3, -3, -3, 3])], { order: 0 }),
  ],
  ...Object.fromEntries(
    ([["IsNan", tf.isNaN], ["IsInf", tf.isInf], ["IsFinite", tf.isFinite]] as const)
      .map(([name, fn]) => [name, [
        use("numbers", fn, [given([NaN, Infinity, -Infinity, 0, 1])], { order: 0 }),
        use("int32", fn, [ints([1, 0])], { order: 0 }),
        use("image", fn, [[2, 3, 2, 4]], { order: 0 }),
        use("select", (x: tf.Tensor) => tf.where(fn(x), x, tf.square(x)), [[2, 3]]),
      ]]),
  ),
};

/** Cases of the family. */
export const activationCases: Readonly<Record<string, readonly KernelCase[]>> = {
  Relu: unary(tf.relu, -2, 2, [onIntegers(tf.relu), exact(tf.relu, [0, -1, 1])]),
  Relu6: unary(tf.relu6, -3, 9, [onIntegers(tf.relu6), exact(tf.relu6, [0, 6, 7])]),
  ClipByValue: unary((x) => tf.clipByValue(x, -0.7, 1.1), -2, 2, [
    onIntegers((x) => tf.clipByValue(x, -1, 2)),
  ]),
  Elu: unary(tf.elu, -2, 2, [exact(tf.elu, [0, -20, 20])]),
  EluGrad: [
    use("its own", (dy: tf.Tensor, y: tf.Tensor) => kernel("EluGrad", { dy, y }), [
      [5],
      between(
        -0.9,
        2,
        5,
      ),
    ]),
    use("image", (x: tf.Tensor) => tf.square(tf.elu(x)), [[2, 3, 2, 4]]),
  ],
  Selu: unary(tf.selu),
  Prelu: [
    use("one slope", tf.prelu, [[2, 3, 2, 4], given([0.3], [1])]),
    use("slope per channel", tf.prelu, [[2, 3, 2, 4], [4]]),
    use("slope per number", tf.prelu, [[2, 3], [2, 3]]),
  ],
  Softmax: [[5], [2, 3], [2, 3, 4], [2, 3, 2, 4], [2, 1, 3, 2, 2]].map((shape) =>
    use(`rank ${shape.length}`, (x: tf.Tensor) => tf.softmax(x), [shape])
  ).concat([
    use("large numbers", (x: tf.Tensor) => tf.softmax(x), [given([1000, 999, -1000])], {
      order: 0,
    }),
    use("logarithm", (x: tf.Tensor) => tf.log(tf.softmax(x)), [[2, 3, 2, 4]]),
    // TensorFlow.js saves their results: second derivatives of these two are wrong.
    use("logSoftmax", (x: tf.Tensor) => tf.logSoftmax(x), [[2, 3, 2, 4]], { order: 1 }),
    use(
      "cross entropy",
      (x: tf.Tensor) => tf.losses.softmaxCrossEntropy([[1, 0], [0, 1]], x),
      [[2, 2]],
      { order: 1 },
    ),
  ]),
};
