import assert from "node:assert/strict";
import { type NamedNode, neededNodes } from "../../engine/needed_nodes.ts";
import { orderNodes } from "../../engine/node_order.ts";

const node = (output: string, opType: string, ...input: string[]): NamedNode => ({
  opType,
  input,
  output: [output],
});

/** How ONNX Runtime runs nodes: back from the results, and first what stands last in the file. */
function run(nodes: readonly NamedNode[]): string[] {
  const made = new Map(nodes.map((node, i) => [node.output[0]!, i]));
  const read = new Set(nodes.flatMap(({ input }) => input));
  const ran = new Set<string>();
  const visit = (i: number) => {
    const { input, output: [name] } = nodes[i]!;
    if (ran.has(name!)) return;
    const inputs = input.flatMap((name) => made.get(name) ?? []).toSorted((a, b) => b - a);
    inputs.forEach(visit);
    ran.add(name!);
  };
  nodes.map((_, i) => i).reverse().filter((i) => !read.has(nodes[i]!.output[0]!)).forEach(visit);
  return [...ran];
}

// Two layers, and the vector of all gradients: of the filters as views of products, and of a bias.
const backward = [
  node("x1", "Conv", "x0", "w1"),
  node("x2", "Conv", "x1", "w2"),
  node("dx2", "Sub", "x2", "target"),
  node("p2", "MatMul", "x1", "dx2"),
  node("dx1", "Conv", "dx2", "w2"),
  node("p1", "MatMul", "x0", "dx1"),
  node("db1", "ReduceSum", "dx1"),
  node("dw2", "Reshape", "p2", "shape2"),
  node("dw1", "Reshape", "p1", "shape1"),
  node("gradient", "Concat", "dw1", "db1", "dw2"),
];

Deno.test("orderNodes() has filter gradients computed before the backward pass goes on", () => {
  assert.deepEqual(
    run(backward),
    ["x1", "x2", "dx2", "dx1", "p1", "dw1", "p2", "dw2", "db1", "gradient"],
  );
  assert.deepEqual(
    run(orderNodes(backward)),
    ["x1", "x2", "dx2", "p2", "dw2", "dx1", "p1", "dw1", "db1", "gradient"],
  );
});

Deno.test("orderNodes() keeps every node after those that it reads", () => {
  const names = new Set(["x0", "w1", "w2", "target", "shape1", "shape2"]);
  for (const { input, output } of orderNodes(backward)) {
    assert.ok(input.every((name) => names.has(name)), `${output} too early`);
    output.forEach((name) => names.add(name));
  }
  assert.equal(names.size, 6 + backward.length);
});

Deno.test("neededNodes() joins reshapes and leaves out what no result needs", () => {
  const nodes = [
    node("a", "Exp", "in0"),
    node("b", "Reshape", "a", "flat"),
    node("c", "Reshape", "b", "square"),
    node("unread", "Neg", "a"),
    node("out0", "Identity", "c"),
  ];
  assert.deepEqual(neededNodes(nodes, ["out0"]), [
    node("a", "Exp", "in0"),
    node("c", "Reshape", "a", "square"),
    node("out0", "Identity", "c"),
  ]);
});

Deno.test("orderNodes() keeps nodes of several outputs, and results that others read", () => {
  const nodes: NamedNode[] = [
    { opType: "Split", input: ["in0"], output: ["left", "right"] },
    node("out0", "Exp", "right"),
    node("out1", "Neg", "out0"),
  ];
  assert.deepEqual(orderNodes(nodes), nodes);
});
