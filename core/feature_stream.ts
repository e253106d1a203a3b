/**
 * Features as they come, batch by batch, for whatever compares sets of images by them.
 *
 * @module
 */
import type { HostArray } from "./contracts.ts";

/** Batches `[N,D]`: a row of D numbers for each image, such as `[array]` or a generator. */
export type FeatureStream = Iterable<HostArray> | AsyncIterable<HostArray>;

/** Products of all rows: `[N,D]` and `[M,D]` give `[N,M]`. What an engine can do faster. */
export type RowProducts = (left: HostArray, right: HostArray) => Promise<HostArray>;

/** `[N,D]` of a batch; D must be `size` where that is given. */
export function featureShape({ shape }: HostArray, size?: number): readonly [number, number] {
  const [count, numbers] = shape;
  if (shape.length !== 2 || !count || !numbers || numbers !== (size ?? numbers)) {
    throw new RangeError(
      `Cannot measure features: expected features of shape [N,${
        size ?? "D"
      }] but received [${shape}]`,
    );
  }
  return [count, numbers];
}

/**
 * Reads a stream to its end: `[N,D]`.
 *
 * @throws {RangeError} If there are no features, or rows differ in length.
 */
export async function collectFeatures(stream: FeatureStream): Promise<HostArray> {
  const batches: HostArray[] = [];
  for await (const batch of stream) {
    featureShape(batch, batches[0]?.shape[1]);
    batches.push(batch);
  }
  const [first] = batches;
  if (!first) throw new RangeError("Cannot measure features: expected some but received none");
  if (batches.length === 1) return first;
  const count = batches.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const size = first.shape[1]!;
  const data = new Float32Array(count * size);
  let offset = 0;
  for (const batch of batches) {
    data.set(batch.data, offset);
    offset += batch.data.length;
  }
  return { shape: [count, size], data };
}

/** Rows of a matrix, as a view. */
export function rowsOf({ shape, data }: HostArray, from: number, to: number): HostArray {
  const [, size] = shape as [number, number];
  return { shape: [to - from, size], data: data.subarray(from * size, to * size) };
}

/** {@linkcode RowProducts} without an engine: exact to float32, slow for large sets. */
export function rowProducts(left: HostArray, right: HostArray): Promise<HostArray> {
  const [n, size] = featureShape(left);
  const [m] = featureShape(right, size);
  const data = new Float32Array(n * m);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += left.data[i * size + k]! * right.data[j * size + k]!;
      data[i * m + j] = sum;
    }
  }
  return Promise.resolve({ shape: [n, m], data });
}
