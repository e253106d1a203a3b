/**
 * Arrays on the host.
 *
 * @module
 */
import type { HostArray } from "./contracts.ts";

/** A scalar. */
export function scalarArray(value: number): HostArray {
  return { shape: [], data: Float32Array.of(value) };
}

/** Zeros of the shape of an array. */
export function zerosLike({ shape, data }: HostArray): HostArray {
  return { shape, data: new Float32Array(data.length) };
}
