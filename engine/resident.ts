/**
 * Arrays that stay on a device: reading and freeing whole trees of them.
 *
 * @module
 */
import type { HostArray } from "../core/contracts.ts";
import type { EngineArray, ResidentArray, Tree } from "./engine.ts";
import { giveBack } from "./lent_arrays.ts";
import { isArray, isResidentArray } from "./tree.ts";

/** A tree of arrays with every leaf on the host. */
export type ReadOf<T> = T extends HostArray | ResidentArray ? HostArray
  : { readonly [Key in keyof T]: ReadOf<T[Key]> };

/**
 * Reads every array of a tree; those on the host are given as they are.
 *
 * @example The state of a training, for a checkpoint
 * ```ts
 * import { readArrays } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const weights = { shape: [1], data: Float32Array.of(3) };
 * const resident = { shape: [1], read: () => Promise.resolve(weights), dispose: () => {} };
 * assert.deepEqual(await readArrays({ weights, resident }), { weights, resident: weights });
 * ```
 */
export async function readArrays<T>(tree: T): Promise<ReadOf<T>> {
  return await readTree(tree as Tree<EngineArray>) as ReadOf<T>;
}

async function readTree(tree: Tree<EngineArray>): Promise<Tree<HostArray>> {
  if (isResidentArray(tree)) return await tree.read();
  if (isArray(tree)) return tree;
  if (Array.isArray(tree)) return await Promise.all(tree.map(readTree));
  // All at once: a device that is read array by array answers each time.
  return Object.fromEntries(
    await Promise.all(
      Object.entries(tree).map(async ([name, node]) =>
        [name, await readTree(node as Tree<EngineArray>)] as const
      ),
    ),
  );
}

/**
 * Frees every array of a tree that lies on a device. One on the host that an engine was asked to keep
 * resident is given back to it: a later run may write its results there.
 *
 * @example
 * ```ts
 * import { disposeArrays } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * let disposed = 0;
 * const resident = { shape: [1], read: () => Promise.reject(), dispose: () => void disposed++ };
 * disposeArrays({ weights: { shape: [1], data: Float32Array.of(3) }, list: [resident] });
 * assert.equal(disposed, 1);
 * ```
 */
export function disposeArrays(tree: unknown): void {
  if (isArray(tree)) return isResidentArray(tree) ? tree.dispose() : giveBack(tree.data);
  if (typeof tree !== "object" || tree === null) return;
  for (const node of Object.values(tree)) disposeArrays(node);
}
