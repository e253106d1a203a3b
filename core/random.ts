/**
 * The only source of randomness. Numbers are a function of (seed, stream, index): there is no state
 * to save, and a batch split, a resumed run or another process draws the same ones.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import type { HostArray } from "./contracts.ts";

/** A sequence of numbers that starts at one (seed, stream, index). */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Normal numbers with mean 0. */
  normal(shape: readonly number[], standardDeviation?: number): HostArray;
  /** Uniform numbers in [minimum, maximum). */
  uniform(shape: readonly number[], minimum: number, maximum: number): HostArray;
  /** An integer in [0, bound). */
  integer(bound: number): number;
}

/** Random tensors inside a compiled function: drawn on the host, fed to the graph at every run. */
export interface GraphRandom {
  /** Normal numbers with mean 0. */
  normal(shape: readonly number[], standardDeviation?: number): tf.Tensor;
  /** Uniform numbers in [minimum, maximum). */
  uniform(shape: readonly number[], minimum: number, maximum: number): tf.Tensor;
}

/** 32 well mixed bits of a string and two integers (FNV-1a, then MurmurHash3's finaliser). */
function hash(stream: string, seed: number, index: number, salt: number): number {
  let h = 0x811c9dc5 ^ salt;
  const add = (byte: number) => h = Math.imul(h ^ byte, 0x01000193);
  for (let i = 0; i < stream.length; i++) add(stream.charCodeAt(i));
  const high = Math.floor(seed / 2 ** 32);
  const words = [seed >>> 0, index >>> 0, Math.floor(index / 2 ** 32)];
  for (const word of high === 0 ? words : [...words, high]) {
    for (let shift = 0; shift < 32; shift += 8) add((word >>> shift) & 255);
  }
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * Starts the sequence of (seed, stream, index).
 *
 * @example The same key draws the same numbers
 * ```ts
 * import { createRandom } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(createRandom(1, "z", 7).normal([2]), createRandom(1, "z", 7).normal([2]));
 * ```
 */
export function createRandom(seed: number, stream: string, index = 0): Random {
  // sfc32 (Doty-Humphrey): 128 bits of state, seeded by four hashes.
  let a = hash(stream, seed, index, 1) | 0;
  let b = hash(stream, seed, index, 2) | 0;
  let c = hash(stream, seed, index, 3) | 0;
  let counter = 1;
  const bits = (): number => {
    const t = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) bits();
  const next = () => bits() / 2 ** 32;

  const normal = (shape: readonly number[], standardDeviation = 1): HostArray => {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    // Marsaglia's polar method: two numbers at a time, no trigonometry.
    for (let i = 0; i < data.length; i += 2) {
      let x, y, square;
      do {
        x = bits() / 2 ** 31 - 1;
        y = bits() / 2 ** 31 - 1;
        square = x * x + y * y;
      } while (square >= 1 || square === 0);
      const factor = standardDeviation * Math.sqrt(-2 * Math.log(square) / square);
      data[i] = x * factor;
      if (i + 1 < data.length) data[i + 1] = y * factor;
    }
    return { shape, data };
  };
  const uniform = (shape: readonly number[], minimum: number, maximum: number): HostArray => {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    for (let i = 0; i < data.length; i++) data[i] = minimum + (maximum - minimum) * next();
    return { shape, data };
  };
  return { next, normal, uniform, integer: (bound) => Math.floor(next() * bound) };
}
