/**
 * The order of a graph's nodes, for ONNX Runtime on the CPU.
 *
 * ONNX Runtime does not run nodes in the order of the file. It walks back from the results, and of
 * the inputs of a node it computes first the one whose node stands last in the file. The gradient of
 * all weights is such a node: in the order in which it was recorded, the whole backward pass ran
 * before the gradients of the last layers' filters, and kept what they read.
 *
 * @module
 */

import { type NamedNode, readBy } from "./needed_nodes.ts";

/**
 * The nodes of a graph so that ONNX Runtime runs them about in the order in which they are given,
 * which frees early what a backward pass read. The result is in topological order, too.
 */
export function orderNodes<Node extends NamedNode>(nodes: readonly Node[]): Node[] {
  const read = readBy(nodes);
  const ranks = ranksOf(nodes, read);

  // From the end: of the nodes whose readers are all placed, the one that shall run first.
  const readers = nodes.map(() => 0);
  for (const each of read) for (const from of each) readers[from]!++;
  const ready = [...nodes.keys()].filter((i) => readers[i] === 0);
  const placed: Node[] = [];
  while (ready.length > 0) {
    let first = 0;
    for (let k = 1; k < ready.length; k++) if (ranks[ready[k]!]! < ranks[ready[first]!]!) first = k;
    const [node] = ready.splice(first, 1) as [number];
    placed.push(nodes[node]!);
    for (const from of read[node]!) if (--readers[from]! === 0) ready.push(from);
  }
  return placed.reverse();
}

/** A node's place in the wanted order; one that only looks at numbers comes right after them. */
function ranksOf(nodes: readonly NamedNode[], read: readonly (readonly number[])[]): number[] {
  const ranks: number[] = [];
  nodes.forEach(({ opType }, i) => {
    const views = opType === "Reshape" && read[i]!.length > 0;
    // The fraction keeps the order among those that look at the same numbers.
    ranks.push(views ? Math.floor(ranks[read[i]![0]!]!) + (i + 1) / (nodes.length + 2) : i);
  });
  return ranks;
}
