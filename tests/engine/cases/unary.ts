/** Functions of one tensor: every rank, and cases of their own. */
import type * as tf from "@tensorflow/tfjs";
import { everyRank, given, ints, type KernelCase, type Operand, use } from "./case.ts";

/** A function of one tensor. */
export type Unary = (x: tf.Tensor) => tf.Tensor;

/** Integers of both signs, and zero. */
export const INTEGERS: Operand = ints([-3, 0, 1, 2, 7, -8]);

/** Every rank, and more. */
export function unary(fn: Unary, low = -2, high = 2, extra: KernelCase[] = []): KernelCase[] {
  return [...everyRank(fn, low, high), ...extra];
}

/** Integers, where they mean something. */
export function onIntegers(fn: Unary, operand: Operand = INTEGERS): KernelCase {
  return use("int32", fn, [operand], { order: 0 });
}

/** Numbers written out, each result compared closely. */
export function exact(fn: Unary, data: number[]): KernelCase {
  return use("written out", fn, [given(data)], { order: 0, tolerance: 1e-6 });
}
