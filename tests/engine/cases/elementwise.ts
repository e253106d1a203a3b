import * as tf from "@tensorflow/tfjs";
import { between, bools, everyPair, everyRank, given, ints, type KernelCase, use } from "./case.ts";
import { exact, INTEGERS, onIntegers, unary } from "./unary.ts";

type Binary = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;

/** Broadcasting, integers, and truth values where they mean something. */
function binary(
  fn: Binary,
  bounds?: readonly [number, number, number, number],
  extra: KernelCase[] = [],
): KernelCase[] {
  return [
    ...everyPair(fn, bounds),
    use("int32", fn, [ints([7, -7, 6, 5]), ints([2, 2, -3, 5])], { order: 0 }),
    ...extra,
  ];
}

/** Comparisons: equal numbers among them, and selection by them. */
function test(fn: Binary): KernelCase[] {
  const select = (a: tf.Tensor, b: tf.Tensor) => tf.where(fn(a, b), tf.mul(a, 2), tf.square(b));
  return [
    use("equal numbers", fn, [given([1, 2, -1, 0]), given([1, -2, 3, 0])], { order: 0 }),
    use("int32", fn, [ints([7, -7, 6, 5]), ints([2, 2, -3, 5])], { order: 0 }),
    use("bool", fn, [bools([0, 0, 1, 1]), bools([0, 1, 0, 1])], { order: 0 }),
    use("broadcast", fn, [[2, 3, 2, 4], [4]], { order: 0 }),
    use("select", select, [[2, 3], [3]]),
    use("select images", select, [[2, 3, 2, 4], [2, 1, 1, 4]]),
  ];
}

const truth = (fn: Binary): KernelCase[] => [
  use("truth table", fn, [bools([0, 0, 1, 1]), bools([0, 1, 0, 1])], { order: 0 }),
  use("broadcast", fn, [bools([0, 1], [2, 1]), bools([0, 1, 1])], { order: 0 }),
  use(
    "of comparisons",
    (a: tf.Tensor) => tf.where(fn(tf.greater(a, -1), tf.less(a, 1)), tf.square(a), a),
    [[2, 3, 2, 4]],
  ),
];

/** Cases of the family. */
export const elementwiseCases: Readonly<Record<string, readonly KernelCase[]>> = {
  Add: binary(tf.add),
  Sub: binary(tf.sub),
  Multiply: binary(tf.mul, undefined, [
    use("bool", tf.mul, [bools([0, 0, 1, 1]), bools([0, 1, 0, 1])], { order: 0 }),
    use("itself", (x: tf.Tensor) => tf.mul(x, x), [[2, 3, 2, 4]]),
  ]),
  RealDiv: binary(tf.div, [-2, 2, 0.5, 2], [
    use("negative divisor", tf.div, [[4], between(-2, -0.5, 4)]),
    use("by zero", tf.div, [given([1, -1, 0]), given([0, 0, 0])], { order: 0 }),
  ]),
  Maximum: binary(tf.maximum),
  Minimum: binary(tf.minimum),
  Pow: binary(tf.pow, [0.3, 2, -2, 2], [
    use("negative base", (x: tf.Tensor) => tf.pow(x, 2), [between(-2, -0.5, 5)]),
    use("cubes", (x: tf.Tensor) => tf.pow(x, tf.scalar(3, "int32")), [[5]]),
    use("of zero", tf.pow, [given([0, 0, 0]), given([0, 1, 2])], { order: 0 }),
  ]),
  SquaredDifference: binary(tf.squaredDifference),
  Greater: test(tf.greater),
  GreaterEqual: test(tf.greaterEqual),
  Less: test(tf.less),
  LessEqual: test(tf.lessEqual),
  Equal: test(tf.equal),
  NotEqual: test(tf.notEqual),
  LogicalAnd: truth(tf.logicalAnd),
  LogicalOr: truth(tf.logicalOr),
  LogicalNot: [
    use("bool", (x: tf.Tensor) => tf.logicalNot(x), [bools([0, 1, 1])], { order: 0 }),
    use(
      "of a comparison",
      (x: tf.Tensor) => tf.where(tf.logicalNot(tf.greater(x, 0)), tf.square(x), x),
      [[2, 3, 2, 4]],
    ),
  ],
  AddN: [
    use("one", (x: tf.Tensor) => tf.addN([x]), [[2, 3]]),
    use("three", (...xs: tf.Tensor[]) => tf.addN(xs), [[2, 3], [2, 3], [2, 3]]),
    use("images", (...xs: tf.Tensor[]) => tf.addN(xs), [[2, 3, 2, 4], [2, 3, 2, 4]]),
    use("int32", (...xs: tf.Tensor[]) => tf.addN(xs), [ints([1, 2]), ints([3, 4]), ints([5, 6])], {
      order: 0,
    }),
  ],
  Select: [
    use("numbers", (c: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => tf.where(c, tf.square(a), b), [
      bools([1, 0, 1]),
      [3],
      [3],
    ]),
    use("broadcast", (c: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => tf.where(c, a, tf.square(b)), [
      bools([1, 0, 1, 0]),
      [2, 3, 2, 4],
      [],
    ]),
    use("int32", (c: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => tf.where(c, a, b), [
      bools([1, 0]),
      ints([1, 2]),
      ints([3, 4]),
    ], { order: 0 }),
    use("bool", (c: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => tf.where(c, a, b), [
      bools([1, 0, 1, 0]),
      bools([1, 1, 0, 0]),
      bools([0, 0, 1, 1]),
    ], { order: 0 }),
  ],
  Abs: unary(tf.abs, -2, 2, [onIntegers(tf.abs)]),
  Neg: unary(tf.neg, -2, 2, [onIntegers(tf.neg)]),
  Sign: unary(tf.sign, -2, 2, [onIntegers(tf.sign), exact(tf.sign, [0, -0.5, 3])]),
  Exp: unary(tf.exp, -2, 2, [onIntegers(tf.exp)]),
  Log: unary(tf.log, 0.3, 3, [
    exact(tf.log, [0, -1, 1, Infinity]),
  ]),
  Sqrt: unary(tf.sqrt, 0.3, 3),
  Rsqrt: unary(tf.rsqrt, 0.3, 3, [exact(tf.rsqrt, [0, 4, 100])]),
  Reciprocal: unary(tf.reciprocal, 0.3, 3, [
    use("negative", tf.reciprocal, [between(-3, -0.3, 4)]),
  ]),
  Square: unary(tf.square, -2, 2, [onIntegers(tf.square)]),
  Sigmoid: unary(tf.sigmoid, -2, 2, [exact(tf.sigmoid, [-90, -10, 0, 10, 90])]),
  Softplus: unary(tf.softplus, -2, 2, [exact(tf.softplus, [-90, -10, 0, 10, 90])]),
  Tanh: unary(tf.tanh),
  LeakyRelu: unary((x) => tf.leakyRelu(x, 0.3), -2, 2, [
    use("default slope", (x: tf.Tensor) => tf.leakyRelu(x), [[5]]),
    onIntegers((x) => tf.leakyRelu(x, 0.3)),
    exact((x) => tf.leakyRelu(x, 0.3), [0, -0.5, 3]),
  ]),
  Step: unary((x) => tf.step(x, 0.3), -2, 2, [
    use("negative slope", (x: tf.Tensor) => tf.mul(x, tf.step(x, -1)), [[5]]),
    use("default", (x: tf.Tensor) => tf.step(x), [given([-1, 0, 1])], { order: 0 }),
    use("int32", (x: tf.Tensor) => tf.step(x), [INTEGERS], { order: 0 }),
  ]),
  ZerosLike: unary((x) => tf.add(x, tf.zerosLike(x)), -2, 2, [
    exact(tf.zerosLike, [NaN, Infinity, 1]),
    onIntegers(tf.zerosLike),
  ]),
  OnesLike: unary((x) => tf.mul(x, tf.onesLike(x)), -2, 2, [
    exact(tf.onesLike, [NaN, Infinity, 1]),
    onIntegers(tf.onesLike),
  ]),
  Cast: [
    use(
      "float32 to int32",
      (x: tf.Tensor) => tf.cast(x, "int32"),
      [given([-2.7, -0.5, 0.5, 2.7])],
      {
        order: 0,
      },
    ),
    use("float32 to bool", (x: tf.Tensor) => tf.cast(x, "bool"), [given([-2, 0, 0.5])], {
      order: 0,
    }),
    use("int32 to float32", (x: tf.Tensor) => tf.div(tf.cast(x, "float32"), 2), [INTEGERS], {
      order: 0,
    }),
    use("bool to int32", (x: tf.Tensor) => tf.cast(x, "int32"), [bools([0, 1])], { order: 0 }),
    use("the same", (x: tf.Tensor) => tf.square(tf.cast(x, "float32")), [[2, 3, 2, 4]]),
  ],
  Identity: [
    // A kernel that returns its input itself doubles every gradient.
    ...everyRank((x) => tf.mul(tf.clone(x), tf.clone(x))),
    use("sum of clones", (x: tf.Tensor) => tf.add(tf.clone(x), tf.square(tf.clone(tf.clone(x)))), [[
      2,
      3,
    ]]),
  ],
};
