/* What is computed of constants while a model is written, against ONNX Runtime, which computes the
 * same nodes when it runs them. */
import assert from "node:assert/strict";
import ort from "onnxruntime-node";
import { createRandom } from "../../core/random.ts";
import { type Attributes, GraphBuilder } from "../../engine/onnx_model.ts";

const OPERATORS = ["Transpose", "Reshape", "Slice", "Mul", "ReduceSum"];

interface Case {
  readonly type: string;
  readonly shape: readonly number[];
  /** Lists of integers after the first input. */
  readonly lists?: readonly (readonly number[])[];
  readonly attributes?: Attributes;
  readonly result: readonly number[];
}

const cases: Readonly<Record<string, Case>> = {
  "kernels to the layout of convolutions": {
    type: "Transpose",
    shape: [3, 3, 10, 12],
    attributes: { perm: [3, 2, 0, 1] },
    result: [12, 10, 3, 3],
  },
  "kernels of several tiles, the last ones smaller": {
    type: "Transpose",
    shape: [3, 3, 50, 150],
    attributes: { perm: [3, 2, 0, 1] },
    result: [150, 50, 3, 3],
  },
  "axes that stay": {
    type: "Transpose",
    shape: [5, 7],
    attributes: { perm: [0, 1] },
    result: [5, 7],
  },
  "another shape": { type: "Reshape", shape: [4, 6], lists: [[3, 8]], result: [3, 8] },
  "turned kernels": {
    type: "Slice",
    shape: [3, 2, 9, 8],
    lists: [[-1, -1], [-4, -100], [0, 1], [-1, -1]],
    result: [3, 2, 9, 8],
  },
  "a part, beyond the end": {
    type: "Slice",
    shape: [6, 40],
    lists: [[1, 3], [100, -2], [0, 1]],
    result: [5, 35],
  },
  "every second": {
    type: "Slice",
    shape: [7, 40],
    lists: [[6], [0], [0], [-2]],
    result: [3, 40],
  },
  "sums over kernels": {
    type: "ReduceSum",
    shape: [3, 3, 10, 12],
    lists: [[0, 1]],
    attributes: { keepdims: 0 },
    result: [10, 12],
  },
  "sums over inner axes, kept": {
    type: "ReduceSum",
    shape: [5, 3, 10],
    lists: [[0, 2]],
    attributes: { keepdims: 1 },
    result: [1, 3, 1],
  },
};

const size = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);
const numbers = (name: string, shape: readonly number[]) =>
  createRandom(1, name).normal([...shape]).data;

/** The result of a model, and its bytes as text. */
async function run(builder: GraphBuilder, result: readonly number[], operators: string[]) {
  const bytes = builder.encode({
    name: "constants",
    inputs: [],
    outputs: [{ name: "out", shape: result, dtype: "float32" }],
    operators,
  });
  const session = await ort.InferenceSession.create(bytes, { graphOptimizationLevel: "disabled" });
  const { out } = await session.run({});
  await session.release();
  return {
    data: out!.data as Float32Array,
    dims: out!.dims,
    text: new TextDecoder().decode(bytes),
  };
}

async function assertComputed(type: string, builder: GraphBuilder, result: readonly number[]) {
  const expected = await run(builder, result, []);
  const actual = await run(builder, result, OPERATORS);
  const node = `\x22${String.fromCharCode(type.length)}${type}`; // field 4, which names the operator
  assert.ok(expected.text.includes(node));
  assert.ok(!actual.text.includes(node), "the node is still there");
  assert.deepEqual(actual.dims, expected.dims);
  assert.equal(actual.data.length, size(result));
  const worst = Math.max(...actual.data.map((x, i) => Math.abs(x - expected.data[i]!)));
  assert.ok(worst < 1e-5, `differs by ${worst}`);
}

for (const [title, { type, shape, lists = [], attributes = {}, result }] of Object.entries(cases)) {
  Deno.test(`constants of a model: ${title}`, async () => {
    const builder = new GraphBuilder();
    const inputs = [
      builder.constant(numbers(title, shape), shape, "float32"),
      ...lists.map((list) => builder.integers(list)),
    ];
    const made = builder.emit(type, inputs, attributes);
    builder.alias(made, "out");
    await assertComputed(type, builder, result);
  });
}

for (const [title, shape] of Object.entries({ numbers: [6, 7], "one number": [] })) {
  Deno.test(`constants of a model: products with ${title}`, async () => {
    const builder = new GraphBuilder();
    const x = builder.constant(numbers("x", [6, 7]), [6, 7], "float32");
    const y = builder.constant(numbers("y", shape), shape, "float32");
    builder.alias(builder.emit("Mul", [x, y]), "out");
    await assertComputed("Mul", builder, [6, 7]);
  });
}

Deno.test("constants of a model: what is an output itself stays a node", async () => {
  const builder = new GraphBuilder();
  const x = builder.constant(numbers("x", [6, 7]), [6, 7], "float32");
  const name = builder.emit("Transpose", [x], { perm: [1, 0] });
  const bytes = builder.encode({
    name: "constants",
    inputs: [],
    outputs: [{ name, shape: [7, 6], dtype: "float32" }],
    operators: OPERATORS,
  });
  const session = await ort.InferenceSession.create(bytes);
  const { [name]: out } = await session.run({});
  assert.deepEqual(out!.dims, [7, 6]);
  await session.release();
});

Deno.test("constants of a model: large ones are named by their address, small ones held", () => {
  const builder = new GraphBuilder();
  const large = builder.constant(new Float32Array(2000), [2000], "float32");
  builder.alias(builder.emit("Add", [large, builder.scalar(2)]), "out");
  const seen: number[] = [];
  const bytes = builder.encode({
    name: "constants",
    inputs: [],
    outputs: [{ name: "out", shape: [2000], dtype: "float32" }],
    addressOf: ({ length }) => {
      seen.push(length);
      return 123456789012n;
    },
  });
  assert.deepEqual(seen, [8000]);
  assert.ok(bytes.length < 1000);
  const text = new TextDecoder().decode(bytes);
  for (const part of ["*/_ORT_MEM_ADDR_/*", "123456789012", "8000"]) assert.ok(text.includes(part));
});
