/**
 * Numbers of NumPy and SciPy, and the arrays that they were made of: `reference.py` says how.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { HostArray } from "../../core/contracts.ts";
import reference from "./reference.json" with { type: "json" };

export { reference };

/** The features of `reference.py`: `[rows,size]`. */
export function features(rows: number, size: number, salt: number): HostArray {
  const data = Float32Array.from({ length: rows * size }, (_, i) => {
    const [n, d] = [Math.floor(i / size), i % size];
    const noise = ((n + 1) * (d + 3) * (n + 2 * d + salt)) % 997;
    return (noise + 97 * ((d * salt) % 5)) / 997;
  });
  return { shape: [rows, size], data };
}

/** The images of `reference.py` on a bent path: `[paths,side,side,3]`. */
export function images(paths: number, side: number, position: number, salt: number): HostArray {
  const size = side * side * 3;
  const data = Float32Array.from({ length: paths * size }, (_, at) => {
    const [n, i] = [Math.floor(at / size), at % size];
    const start = ((n + 2) * (i + 5) * (n + i + salt)) % 499 / 499 - 0.5;
    const slope = ((n + 3) * (i + 7) * (2 * n + i + salt)) % 503 / 503 - 0.5;
    const bend = Math.floor(((n + 1) * (i + 2) * (n + 3 * i + salt)) % 487 / (1 + i % 2)) / 487;
    return start + slope * position + bend * position * (1 - position);
  });
  return { shape: [paths, side, side, 3], data };
}

/** The same rows in batches of so many. */
export function batched({ shape, data }: HostArray, count: number): HostArray[] {
  const [rows, ...rest] = shape as [number, ...number[]];
  const size = data.length / rows;
  return Array.from({ length: Math.ceil(rows / count) }, (_, i) => {
    const part = data.slice(i * count * size, (i + 1) * count * size);
    return { shape: [part.length / size, ...rest], data: part };
  });
}

/** The same rows, last first. */
export function reversed(array: HostArray): HostArray {
  const rows = batched(array, 1).reverse().flatMap(({ data }) => [...data]);
  return { shape: array.shape, data: Float32Array.from(rows) };
}

/** Asserts a relative difference of at most `tolerance`. */
export function assertNumber(actual: number | undefined, expected: number, tolerance = 1e-9): void {
  const difference = Math.abs((actual ?? NaN) - expected);
  assert.ok(difference <= tolerance * Math.abs(expected), `${actual} instead of ${expected}`);
}
