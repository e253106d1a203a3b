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

/** What the order depends on. */
export interface OrderedNode {
  readonly opType: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
}

/**
 * The nodes of a graph so that ONNX Runtime runs them about in the order in which they are given,
 * which frees early what a backward pass read. The result is in topological order, too.
 *
 * @param outputs Names of the graph's results; nodes that none of them needs are left out.
 */
export function orderNodes<Node extends OrderedNode>(
  nodes: readonly Node[],
  outputs: readonly string[],
): Node[] {
  const joined = joinReshapes(nodes);
  const made = new Map(joined.flatMap((node, i) => node.output.map((name) => [name, i] as const)));
  const read = joined.map(({ input }) => [
    ...new Set(input.flatMap((name) => made.has(name) ? [made.get(name)!] : [])),
  ]);
  const needed = neededBy(outputs.flatMap((name) => made.get(name) ?? []), read);
  const ranks = ranksOf(joined, read);

  // From the end: of the nodes whose readers are all placed, the one that shall run first.
  const readers = joined.map(() => 0);
  for (const i of needed) for (const from of read[i]!) readers[from]!++;
  const ready = [...needed].filter((i) => readers[i] === 0);
  const placed: Node[] = [];
  while (ready.length > 0) {
    let first = 0;
    for (let k = 1; k < ready.length; k++) if (ranks[ready[k]!]! < ranks[ready[first]!]!) first = k;
    const [node] = ready.splice(first, 1) as [number];
    placed.push(joined[node]!);
    for (const from of read[node]!) if (--readers[from]! === 0) ready.push(from);
  }
  return placed.reverse();
}

/**
 * Lets a reshape of a reshape read the numbers themselves: ONNX Runtime would do so, too, and take
 * the new node for the last of the file.
 */
function joinReshapes<Node extends OrderedNode>(nodes: readonly Node[]): Node[] {
  const sources = new Map<string, string>();
  return nodes.map((node) => {
    if (node.opType !== "Reshape") return node;
    const [data, ...rest] = node.input as [string, ...string[]];
    const source = sources.get(data) ?? data;
    sources.set(node.output[0]!, source);
    return { ...node, input: [source, ...rest] };
  });
}

/** A node's place in the wanted order; one that only looks at numbers comes right after them. */
function ranksOf(nodes: readonly OrderedNode[], read: readonly (readonly number[])[]): number[] {
  const ranks: number[] = [];
  nodes.forEach(({ opType }, i) => {
    const views = opType === "Reshape" && read[i]!.length > 0;
    // The fraction keeps the order among those that look at the same numbers.
    ranks.push(views ? Math.floor(ranks[read[i]![0]!]!) + (i + 1) / (nodes.length + 2) : i);
  });
  return ranks;
}

/** Everything that these nodes need, with themselves. */
function neededBy(roots: readonly number[], read: readonly (readonly number[])[]): Set<number> {
  const needed = new Set<number>();
  const open = [...roots];
  for (let i = open.pop(); i !== undefined; i = open.pop()) {
    if (needed.has(i)) continue;
    needed.add(i);
    open.push(...read[i]!);
  }
  return needed;
}
