/** Nested records and lists as flat lists, in a fixed order. @module */
import * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../core/contracts.ts";
import type { Tree } from "./engine.ts";

/** Whether a node is an array of numbers and not a record of more nodes. */
export function isHostArray(node: unknown): node is HostArray {
  return typeof node === "object" && node !== null && "data" in node &&
    node.data instanceof Float32Array;
}

/** Whether a node is a tensor. */
export function isTensor(node: unknown): node is tf.Tensor {
  return node instanceof tf.Tensor;
}

/** The leaves of a tree, records by sorted names, each with its path. */
export function leaves<Leaf>(
  tree: Tree<Leaf>,
  isLeaf: (node: unknown) => node is Leaf,
  path = "",
): { path: string; leaf: Leaf }[] {
  if (isLeaf(tree)) return [{ path, leaf: tree }];
  if (typeof tree !== "object" || tree === null) {
    throw new TypeError(
      `Cannot run a compiled function: expected arrays and records of arrays but received ${typeof tree} at "${path}"`,
    );
  }
  const entries = Array.isArray(tree)
    ? tree.map((node, i) => [String(i), node] as const)
    : Object.entries(tree).sort(([a], [b]) => a < b ? -1 : 1);
  return entries.flatMap(([name, node]) =>
    leaves(node as Tree<Leaf>, isLeaf, path ? `${path}.${name}` : name)
  );
}

/** A tree of the same form with new leaves, given in the order of {@linkcode leaves}. */
export function rebuild<From, To>(
  tree: Tree<From>,
  isLeaf: (node: unknown) => node is From,
  next: () => To,
): Tree<To> {
  if (isLeaf(tree)) return next();
  if (Array.isArray(tree)) return tree.map((node) => rebuild(node, isLeaf, next));
  const names = Object.keys(tree as object).sort();
  const made: Record<string, Tree<To>> = {};
  for (const name of names) {
    made[name] = rebuild((tree as Record<string, Tree<From>>)[name]!, isLeaf, next);
  }
  return made;
}
