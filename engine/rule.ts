/**
 * What the engine knows of a kernel: the shape of its outputs, and how to write it for a target.
 *
 * @module
 */
import type { Attributes, DType, Op } from "./program.ts";
import type { Lowering } from "./lowering.ts";

/** Shape and type of a tensor while tracing. */
export interface TensorType {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** The rule of one TensorFlow.js kernel. */
export interface KernelRule {
  readonly kernel: string;
  /** Names of the inputs in order; `"..."` for kernels that take a list. */
  readonly inputs: readonly string[] | "...";
  /** Types of the outputs. */
  infer(inputs: readonly TensorType[], attributes: Attributes): TensorType | readonly TensorType[];
  /** Writes the operation. */
  lower(op: Op, lowering: Lowering): void;
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
export function broadcastShape(
  kernel: string,
  a: readonly number[],
  b: readonly number[],
): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new RangeError(
        `Cannot trace "${kernel}": expected shapes that broadcast but received [${a}] and [${b}]`,
      );
    }
    return x === 1 ? y : x;
  });
}
