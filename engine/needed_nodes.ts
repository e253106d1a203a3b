/**
 * Nodes of a model that its results need.
 *
 * @module
 */

/** What is looked at of a node. */
export interface NamedNode {
  readonly opType: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
}

/**
 * The nodes that results need, in the same order. A reshape of a reshape reads the numbers themselves:
 * ONNX Runtime would see to that, too, but take the new node for the last of the file, and OpenVINO
 * takes milliseconds for every node that it opens.
 *
 * @param outputs Names of the graph's results.
 */
export function neededNodes<Node extends NamedNode>(
  nodes: readonly Node[],
  outputs: readonly string[],
): Node[] {
  const joined = joinReshapes(nodes);
  const read = readBy(joined);
  const results = new Set(outputs);
  const open = [...joined.keys()].filter((i) =>
    joined[i]!.output.some((name) => results.has(name))
  );
  const needed = new Set<number>();
  for (let i = open.pop(); i !== undefined; i = open.pop()) {
    if (needed.has(i)) continue;
    needed.add(i);
    open.push(...read[i]!);
  }
  return joined.filter((_, i) => needed.has(i));
}

/** Which nodes every node reads, as places in the list. */
export function readBy(nodes: readonly NamedNode[]): number[][] {
  const made = new Map(nodes.flatMap(({ output }, i) => output.map((name) => [name, i] as const)));
  return nodes.map(({ input }) => [...new Set(input.flatMap((name) => made.get(name) ?? []))]);
}

function joinReshapes<Node extends NamedNode>(nodes: readonly Node[]): Node[] {
  const sources = new Map<string, string>();
  return nodes.map((node) => {
    if (node.opType !== "Reshape") return node;
    const [data, ...rest] = node.input as [string, ...string[]];
    const source = sources.get(data) ?? data;
    sources.set(node.output[0]!, source);
    return { ...node, input: [source, ...rest] };
  });
}
