/** The language of the kernel cases: small functions with the tensors to try them on. */
import * as tf from "@tensorflow/tfjs";
import { createRandom } from "../../../core/random.ts";
import type { HostArray } from "../../../core/contracts.ts";

/** What a case is tried on: numbers drawn evenly between two bounds, or numbers written out. */
export interface Operand {
  readonly shape: readonly number[];
  readonly from?: readonly [number, number];
  readonly data?: readonly number[];
  /** Converted before the function sees it; only float32 is differentiated. */
  readonly dtype?: "int32" | "bool";
}

type Numbers = (...operands: tf.Tensor[]) => tf.Tensor | readonly tf.Tensor[];

/** One use of a kernel. */
export interface KernelCase {
  readonly title: string;
  readonly fn: Numbers;
  readonly operands: readonly Operand[];
  /** How often it can be differentiated; the suite goes up to 2. */
  readonly order: 0 | 1 | 2;
  /** Largest difference between compiled and eager, as a part of the largest number. */
  readonly tolerance: number;
  /** Whether a derivative is what finite differences say; not at jumps, kinks and ties. */
  readonly smooth: boolean;
}

type Options = Partial<Pick<KernelCase, "order" | "tolerance" | "smooth">>;

/** A case that is differentiated twice, unless told. */
export function use(
  title: string,
  fn: (...operands: never[]) => tf.Tensor | readonly tf.Tensor[],
  operands: readonly (Operand | readonly number[])[],
  { order = 2, tolerance = 2e-5, smooth = order > 0 }: Options = {},
): KernelCase {
  return {
    title,
    fn: fn as unknown as Numbers,
    operands: operands.map((each) => Array.isArray(each) ? { shape: each } : each as Operand),
    order,
    tolerance,
    smooth,
  };
}

/** Numbers between two bounds. */
export function between(low: number, high: number, ...shape: number[]): Operand {
  return { shape, from: [low, high] };
}

/** Numbers written out, of one axis unless a shape is given. */
export function given(data: readonly number[], shape: readonly number[] = [data.length]): Operand {
  return { data, shape };
}

/** The same as integers. */
export function ints(data: readonly number[], shape: readonly number[] = [data.length]): Operand {
  return { data, shape, dtype: "int32" };
}

/** The same as truth values. */
export function bools(data: readonly number[], shape: readonly number[] = [data.length]): Operand {
  return { data, shape, dtype: "bool" };
}

/** Shapes of every rank up to five. */
export const SHAPES: readonly (readonly number[])[] = [[], [5], [2, 3], [2, 1, 4], [2, 3, 2, 4], [
  2,
  1,
  3,
  2,
  2,
]];

/** A function of one tensor on every rank. */
export function everyRank(
  fn: (x: tf.Tensor) => tf.Tensor,
  low = -2,
  high = 2,
  options?: Options,
): KernelCase[] {
  return SHAPES.map((shape) =>
    use(`rank ${shape.length}`, fn, [between(low, high, ...shape)], options)
  );
}

/** Pairs of shapes that broadcast, in both directions. */
export const PAIRS: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[], []],
  [[3], [3]],
  [[2, 3], [3]],
  [[1], [2, 3]],
  [[2, 1, 3], [4, 1]],
  [[2, 3, 2, 4], [2, 3, 2, 4]],
  [[2, 3, 2, 4], [4]],
  [[], [2, 3, 2, 4]],
  [[2, 1, 1, 4], [2, 3, 2, 1]],
  [[3, 1, 1], [2, 3, 2, 4]],
  [[2, 1, 3, 1, 2], [1, 2, 1, 2, 1]],
];

/** A function of two tensors on every pair. */
export function everyPair(
  fn: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  bounds: readonly [number, number, number, number] = [-2, 2, -2, 2],
  options?: Options,
): KernelCase[] {
  const [lowA, highA, lowB, highB] = bounds;
  return PAIRS.map(([a, b]) =>
    use(
      `[${a}] and [${b}]`,
      fn,
      [between(lowA, highA, ...a), between(lowB, highB, ...b)],
      options,
    )
  );
}

/** The arrays that a case is tried on. */
export function arraysFor({ title, operands }: KernelCase, kernel: string): HostArray[] {
  const random = createRandom(4, `kernels.${kernel}.${title}`);
  return operands.map(({ shape, from: [low, high] = [-2, 2], data }) =>
    data ? { shape, data: Float32Array.from(data) } : random.uniform(shape, low, high)
  );
}

/** A sum of the results with different weights, curved, so that every result counts in every order. */
export function scalarOf(results: readonly tf.Tensor[]): tf.Tensor {
  return tf.addN(
    results.filter(({ dtype }) => dtype === "float32").map((y) => {
      const weights = tf.tensor(
        Float32Array.from({ length: y.size }, (_, i) => 1 + i % 7 / 5),
        y.shape,
      );
      return tf.add(tf.sum(tf.mul(y, weights)), tf.mul(tf.sum(tf.square(y)), 0.3));
    }),
  );
}

const listOf = (made: tf.Tensor | readonly tf.Tensor[]) =>
  made instanceof tf.Tensor ? [made] : made;

/** The function on converted operands. */
export function callCase({ fn, operands }: KernelCase, xs: readonly tf.Tensor[]) {
  const converted = xs.map((x, i) => operands[i]!.dtype ? tf.cast(x, operands[i]!.dtype!) : x);
  return listOf(fn(...converted));
}

/** The gradient of a scalar for the operands that have one; nothing is as good as zero. */
export function gradientsOf(
  scalar: () => tf.Tensor,
  xs: readonly tf.Tensor[],
): tf.Tensor[] {
  const { grads } = tf.engine().gradients(scalar, [...xs], undefined, true);
  return grads.map((gradient, i) => gradient ?? tf.zeros(xs[i]!.shape));
}

/** Values and derivatives of a case, by name. */
export function derivativesOf(each: KernelCase, all: readonly tf.Tensor[]): {
  readonly results: Record<string, tf.Tensor>;
  readonly dtypes: readonly string[];
} {
  const values = callCase(each, all);
  const results: Record<string, tf.Tensor> = {};
  values.forEach((value, i) => results[`value${i}`] = value);
  const floats = all.filter((_, i) => !each.operands[i]!.dtype);
  const scalar = () => scalarOf(callCase(each, all));
  const first = () => gradientsOf(scalar, floats);
  if (each.order >= 1) first().forEach((x, i) => results[`first${i}`] = x);
  if (each.order >= 2) {
    gradientsOf(() => scalarOf(first()), floats).forEach((x, i) => results[`second${i}`] = x);
  }
  return { results, dtypes: values.map(({ dtype }) => dtype) };
}

/** The scalar that a case's first or second derivatives are the gradient of. */
export function scalarFor(each: KernelCase, order: 1 | 2): (xs: readonly tf.Tensor[]) => tf.Tensor {
  const floats = (xs: readonly tf.Tensor[]) => xs.filter((_, i) => !each.operands[i]!.dtype);
  const value = (xs: readonly tf.Tensor[]) => scalarOf(callCase(each, xs));
  if (order === 1) return value;
  return (xs) => scalarOf(gradientsOf(() => value(xs), floats(xs)));
}

/** Runs a kernel by name, for those that no function of TensorFlow.js calls. */
export function kernel(name: string, inputs: Record<string, tf.Tensor>, attributes: object = {}) {
  return tf.engine().runKernel(name, inputs, attributes as tf.NamedAttrMap) as tf.Tensor;
}

/** A fixed mixing of the channels of an image, after which it lies with its channels first. */
export function mixed(x: tf.Tensor): tf.Tensor {
  if (x.rank !== 4 || x.dtype !== "float32" || x.size === 0) return x;
  const c = x.shape[3]!;
  const weights = Float32Array.from({ length: c * c }, (_, i) => (i % (c + 1) ? 0 : 1));
  return tf.conv2d(x as tf.Tensor4D, tf.tensor4d(weights, [1, 1, c, c]), 1, "valid");
}

/** The same case on images that come from a convolution and go to one; nothing for other ranks. */
export function betweenConvolutions(each: KernelCase): KernelCase[] {
  const images = each.operands.filter(({ shape, dtype }) => shape.length === 4 && !dtype);
  const size = images.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  if (size === 0 || size > 100 || each.fn.toString().includes("onv")) return [];
  return [{
    ...each,
    title: `${each.title}, between convolutions`,
    order: each.order === 0 ? 0 : 1, // of the second order the layouts are no others
    fn: (...xs) => listOf(each.fn(...xs.map(mixed))).map(mixed),
  }];
}
