/* What is computed of constants while a model is written, against ONNX Runtime, which computes the
 * same nodes when it runs them. */
import assert from "node:assert/strict";
import fc from "fast-check";
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

/** Field 4 of a node names its operator. */
const hasNode = (text: string, type: string) =>
  text.includes(`\x22${String.fromCharCode(type.length)}${type}`);

async function assertComputed(type: string, builder: GraphBuilder, result: readonly number[]) {
  const expected = await run(builder, result, []);
  const actual = await run(builder, result, OPERATORS);
  assert.ok(hasNode(expected.text, type));
  assert.ok(!hasNode(actual.text, type), "the node is still there");
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

/** A node after others, and the shape of its result. */
interface Step {
  readonly emit: (builder: GraphBuilder, from: string) => string;
  readonly shape: readonly number[];
}

const transposition = (shape: readonly number[], perm: readonly number[]): Step => ({
  emit: (builder, from) => builder.emit("Transpose", [from], { perm }),
  shape: perm.map((axis) => shape[axis]!),
});
const reshaping = (shape: readonly number[]): Step => ({
  emit: (builder, from) => builder.emit("Reshape", [from, builder.integers(shape)]),
  shape,
});
/** An axis from its end on, every `step`th number. */
const backwards = (shape: readonly number[], axis: number, step: number): Step => ({
  emit: (builder, from) => {
    const lists = [[-1], [-shape[axis]! - 1], [axis], [-step]].map((list) =>
      builder.integers(list)
    );
    return builder.emit("Slice", [from, ...lists]);
  },
  shape: shape.with(axis, Math.ceil(shape[axis]! / step)),
});
const squared = (shape: readonly number[]): Step => ({
  emit: (builder, from) => builder.emit("Mul", [from, from]),
  shape,
});
const summed = (shape: readonly number[], axes: readonly number[]): Step => ({
  emit: (builder, from) =>
    builder.emit("ReduceSum", [from, builder.integers(axes)], { keepdims: 0 }),
  shape: shape.filter((_, axis) => !axes.includes(axis)),
});

/** The nodes one after the other, of which none is left. */
async function assertChain(shape: readonly number[], steps: readonly Step[]) {
  const builder = new GraphBuilder();
  const first = builder.constant(numbers("chain", shape), shape, "float32");
  builder.alias(steps.reduce((from, step) => step.emit(builder, from), first), "out");
  const result = steps.at(-1)?.shape ?? shape;
  const [expected, actual] = [
    await run(builder, result, []),
    await run(builder, result, OPERATORS),
  ];
  assert.ok(!OPERATORS.some((type) => hasNode(actual.text, type)), "nodes are still there");
  assert.deepEqual(actual.dims, [...result]);
  assert.equal(actual.data.length, expected.data.length);
  const errors = expected.data.map((x, i) => Math.abs(actual.data[i]! - x) / (1 + Math.abs(x)));
  assert.ok(errors.every((error) => error < 1e-4), `differs by up to ${Math.max(...errors)}`);
}

Deno.test("constants of a model: turned kernels of a transposed convolution, in one copy", async () => {
  const kernel = [3, 3, 20, 30];
  const turned = [
    backwards(kernel, 0, 1),
    backwards(kernel, 1, 1),
    transposition(kernel, [0, 1, 3, 2]),
    reshaping([9, 30, 20]),
    transposition([9, 30, 20], [2, 1, 0]),
  ];
  await assertChain(kernel, turned);
  await assertChain(kernel, [...turned, squared([20, 30, 9]), summed([20, 30, 9], [2])]);
  await assertChain(kernel, [...turned, squared([20, 30, 9]), squared([20, 30, 9])]);
});

Deno.test("constants of a model: any nodes in a row", async () => {
  /** Some step after a shape, chosen by numbers. */
  const next = (
    shape: readonly number[],
    [kind, a, b]: readonly [number, number, number],
  ): Step => {
    const rank = shape.length;
    switch (kind) {
      case 0: {
        const perm = [...shape.keys()].toSorted((x, y) => (x * a) % 7 - (y * a) % 7 || x - y);
        return transposition(shape, perm);
      }
      case 1: { // an axis joined with the next one, or split in two
        const axis = a % rank;
        const size = shape[axis]!;
        const half = [2, 3].find((divisor) => size % divisor === 0 && b % 2 === 1);
        if (half) return reshaping(shape.toSpliced(axis, 1, half, size / half));
        if (axis + 1 < rank) return reshaping(shape.toSpliced(axis, 2, size * shape[axis + 1]!));
        return reshaping(shape.toSpliced(axis, 0, 1));
      }
      case 2:
        return backwards(shape, a % rank, 1 + b % 2);
      case 3:
        return squared(shape);
      default:
        return rank > 1 ? summed(shape, [a % rank]) : reshaping([...shape, 1]);
    }
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 2, maxLength: 4 }),
      fc.array(fc.tuple(fc.nat(4), fc.nat(6), fc.nat(6)), { minLength: 1, maxLength: 6 }),
      async (shape, choices) => {
        const steps: Step[] = [];
        for (const choice of choices) steps.push(next(steps.at(-1)?.shape ?? shape, choice));
        // Squares of squares grow beyond what can be compared.
        const squares = choices.filter(([kind]) => kind === 3).length;
        fc.pre(squares < 3);
        await assertChain(shape, steps);
      },
    ),
    { numRuns: 300, seed: 7 },
  );
});

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
