/** Nested records and lists as flat lists, in a fixed order. @module */
import * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../core/contracts.ts";
import type { EngineArray, ResidentArray, Tree } from "./engine.ts";
import { sizeOf } from "./rule.ts";

/** A leaf and the names that lead to it, joined by points. */
export interface PathLeaf<Leaf> {
  readonly path: string;
  readonly leaf: Leaf;
}

/** The name that a path begins with. */
export function branchOf(path: string): string {
  return path.split(".", 1)[0]!;
}

/** Whether a node is an array of numbers and not a record of more nodes. */
export function isHostArray(node: unknown): node is HostArray {
  return typeof node === "object" && node !== null && "data" in node &&
    node.data instanceof Float32Array;
}

/** Whether a node is an array that stays on a device. */
export function isResidentArray(node: unknown): node is ResidentArray {
  return typeof node === "object" && node !== null && "read" in node && "shape" in node &&
    typeof node.read === "function";
}

/** Whether a node is an array, wherever it is. */
export function isArray(node: unknown): node is EngineArray {
  return isHostArray(node) || isResidentArray(node);
}

/** Whether a node is a tensor. */
export function isTensor(node: unknown): node is tf.Tensor {
  return node instanceof tf.Tensor;
}

/** The arrays that a compiled function is given, records by sorted names, each checked. */
export function inputLeaves(name: string, inputs: Tree<EngineArray>): PathLeaf<EngineArray>[] {
  const list = leaves(inputs, isArray, (node, path) => {
    throw new TypeError(
      `Cannot run "${name}": expected arrays { shape, data: Float32Array }, or records and lists of them, but received ${
        describe(node)
      }${place(path)}`,
    );
  });
  for (const { path, leaf } of list) {
    const { shape } = leaf;
    if (isResidentArray(leaf) || leaf.data.length === sizeOf(shape)) continue;
    throw new RangeError(
      `Cannot run "${name}": expected ${
        sizeOf(shape)
      } numbers for shape [${shape}] but received ${leaf.data.length}${place(path)}`,
    );
  }
  return list;
}

/** The same for an engine that computes on the host: arrays that lie on a device are refused. */
export function hostLeaves(name: string, inputs: Tree<EngineArray>): PathLeaf<HostArray>[] {
  return inputLeaves(name, inputs).map(({ path, leaf }) => {
    if (!isResidentArray(leaf)) return { path, leaf };
    throw new TypeError(
      `Cannot run "${name}": expected arrays of the host but received one of another engine's device${
        place(path)
      }; await its read() first`,
    );
  });
}

/** The tensors that a function returned, records by sorted names, each checked. */
export function outputLeaves(name: string, outputs: Tree<tf.Tensor>): PathLeaf<tf.Tensor>[] {
  return leaves(outputs, isTensor, (node, path) => {
    throw new TypeError(
      `Cannot compile "${name}": expected tensors, or records and lists of them, to be returned but received ${
        describe(node)
      }${place(path)}`,
    );
  });
}

const place = (path: string) => path ? ` at "${path}"` : "";

function describe(node: unknown): string {
  if (node === undefined || node === null) return String(node);
  if (isTensor(node)) return "a tensor";
  if (ArrayBuffer.isView(node)) return `a bare ${node.constructor.name}`;
  if (node instanceof Promise) return "a promise";
  if (typeof node === "object" && "data" in node && !isBranch(node)) {
    const kind = (node.data as object | undefined)?.constructor?.name ?? String(node.data);
    return `{ shape, data: ${kind} }`;
  }
  return `a ${typeof node}`;
}

/** Only plain records and lists hold more nodes. */
function isBranch(node: unknown): boolean {
  if (typeof node !== "object" || node === null) return false;
  if ("data" in node && "shape" in node && Array.isArray(node.shape)) return false;
  const prototype = Object.getPrototypeOf(node);
  return Array.isArray(node) || prototype === Object.prototype || prototype === null;
}

function leaves<Leaf>(
  tree: Tree<Leaf>,
  isLeaf: (node: unknown) => node is Leaf,
  refuse: (node: unknown, path: string) => never,
  path = "",
): PathLeaf<Leaf>[] {
  if (isLeaf(tree)) return [{ path, leaf: tree }];
  if (!isBranch(tree)) return refuse(tree, path);
  const entries = Array.isArray(tree)
    ? tree.map((node, i) => [String(i), node] as const)
    : Object.entries(tree).sort(([a], [b]) => a < b ? -1 : 1);
  return entries.flatMap(([name, node]) =>
    leaves(node as Tree<Leaf>, isLeaf, refuse, path ? `${path}.${name}` : name)
  );
}

/** A tree of the same form with new leaves, given in the order of the flat list. */
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

/** Zeros on the host for every tensor that a function returned. */
export function outlineOf(name: string, outputs: Tree<tf.Tensor>): Tree<EngineArray> {
  const shapes = outputLeaves(name, outputs).map(({ leaf }) => leaf.shape);
  let next = 0;
  return rebuild<tf.Tensor, EngineArray>(outputs, isTensor, () => {
    const shape = shapes[next++]!;
    return { shape, data: new Float32Array(sizeOf(shape)) };
  });
}
