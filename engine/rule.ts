/**
 * What the engine knows of a kernel: the shape of its outputs, and how to write it for a target.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import type { Attributes, DType, Op } from "./program.ts";
import type { Lowering } from "./lowering.ts";

/** Shape and type of a tensor while tracing. */
export interface TensorType {
  /** Sizes of the axes. */
  readonly shape: readonly number[];
  /** Type of the numbers. */
  readonly dtype: DType;
}

/** The rule of a TensorFlow.js kernel that becomes ONNX nodes of its own. */
export interface KernelRule {
  /** Name of the kernel in TensorFlow.js. */
  readonly kernel: string;
  /** Names of the inputs in order; `"..."` for kernels that take a list. */
  readonly inputs: readonly string[] | "...";
  /**
   * Types of the outputs.
   *
   * @throws {RangeError} If the inputs do not fit. What stands before the colon is replaced by the
   * names of the kernel and of the function that is traced.
   */
  infer(inputs: readonly TensorType[], attributes: Attributes): TensorType | readonly TensorType[];
  /** Writes the operation. */
  lower(op: Op, lowering: Lowering): void;
}

/** Inputs of a kernel by name; those of a list are named `0`, `1`, ... */
export type NamedInputs = Readonly<Record<string, tf.Tensor>>;

/** The rule of a TensorFlow.js kernel that is recorded as other kernels. */
export interface ComposedRule {
  /** Name of the kernel in TensorFlow.js. */
  readonly kernel: string;
  /** Computes the kernel with TensorFlow.js functions; optional inputs may be missing. */
  compose(inputs: NamedInputs, attributes: Attributes): tf.Tensor | readonly tf.Tensor[];
}

/**
 * What makes a kernel known to the compiled engines.
 *
 * @example A kernel of one's own, as one ONNX node
 * ```ts
 * import { createEngine, type KernelRule, tf } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const rule: KernelRule = {
 *   kernel: "HardSwish",
 *   inputs: ["x"],
 *   infer: ([x]) => x!,
 *   lower: ({ inputs: [x], outputs: [out] }, l) => l.put(out!, l.emit("HardSwish", [l.get(x!)])),
 * };
 * const engine = await createEngine({ rules: [rule] });
 * const hardSwish = ({ x }: { x: tf.Tensor }) =>
 *   tf.engine().runKernel("HardSwish", { x }) as tf.Tensor;
 * const run = engine.compile(hardSwish, { name: "hardSwish" });
 * const { data } = await run({ x: { shape: [2], data: Float32Array.of(3, 4) } });
 * assert.deepEqual([...data], [3, 4]);
 * await engine.dispose();
 * ```
 */
export type Rule = KernelRule | ComposedRule;

/** Whether a rule is recorded as other kernels. */
export function isComposed(rule: Rule): rule is ComposedRule {
  return "compose" in rule;
}

/** The number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Whether two shapes are equal. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/** The shape of two operands after broadcasting; a `RangeError` names both when they do not fit. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw mismatch("shapes that broadcast", list([a, b]));
    }
    return x === 1 ? y : x;
  });
}

/** The error of a rule whose inputs do not fit. */
export function mismatch(expected: string, received: string): RangeError {
  return new RangeError(`Cannot infer a shape: expected ${expected} but received ${received}`);
}

/** Shapes as words: `[2,3] and [4]`. */
export function list(shapes: readonly (readonly number[])[]): string {
  return shapes.map((shape) => `[${shape}]`).join(" and ");
}

/** An axis counted from the front. */
export function axisOf(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}
