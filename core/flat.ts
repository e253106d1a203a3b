/**
 * One flat vector for all weights of a network: few inputs and outputs for a compiled step, and one
 * element-wise update in the optimiser.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { HostArray, Params, Weights } from "./contracts.ts";

/** Where each weight lies in the vector. */
export interface FlatLayout {
  readonly entries: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly size: number;
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

/** The layout of some weights, in the order of their names in the record. */
export function flatLayout(weights: Weights): FlatLayout {
  const entries = Object.entries(weights).map(([name, { shape }]) => ({ name, shape }));
  return { entries, size: entries.reduce((sum, { shape }) => sum + sizeOf(shape), 0) };
}

/** Copies weights into one vector. */
export function flatten(weights: Weights, { entries, size }: FlatLayout): HostArray {
  const data = new Float32Array(size);
  let offset = 0;
  for (const { name, shape } of entries) {
    const weight = weights[name];
    if (!weight || weight.data.length !== sizeOf(shape)) {
      throw new RangeError(
        `Cannot flatten weights: expected "${name}" of shape [${shape}] but received ${
          weight ? `shape [${weight.shape}]` : "nothing"
        }`,
      );
    }
    data.set(weight.data, offset);
    offset += weight.data.length;
  }
  return { shape: [size], data };
}

/** Copies a vector back into named weights. */
export function unflatten(vector: HostArray, { entries }: FlatLayout): Weights {
  const weights: Record<string, HostArray> = {};
  let offset = 0;
  for (const { name, shape } of entries) {
    const size = sizeOf(shape);
    weights[name] = { shape, data: vector.data.slice(offset, offset + size) };
    offset += size;
  }
  return weights;
}

/** Views of a flat tensor `[size]` as named tensors; gradients flow back into the vector. */
export function views(vector: tf.Tensor, { entries }: FlatLayout): Params {
  const pieces = tf.split(vector, entries.map(({ shape }) => sizeOf(shape)), 0);
  return Object.fromEntries(
    entries.map(({ name, shape }, i) => [name, tf.reshape(pieces[i]!, [...shape])]),
  );
}

/** Weights as tensors: variables of the eager engine, constants of a traced graph. */
export function lift(weights: Weights): Params {
  return Object.fromEntries(
    Object.entries(weights).map(([name, { shape, data }]) => [name, tf.tensor(data, [...shape])]),
  );
}
