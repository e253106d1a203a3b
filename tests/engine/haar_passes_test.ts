/* Rewrites of what stands around an inverse Haar transform, computed by ONNX Runtime in the forms that
 * exported files have, and in those of OpenVINO. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../../core/contracts.ts";
import { createRandom } from "../../core/random.ts";
import { openvinoForms } from "../../engine/forms/mod.ts";
import { nodeRules } from "../../engine/kernels/mod.ts";
import { lower } from "../../engine/lowering.ts";
import { createEngine } from "../../engine/mod.ts";
import { earlyScales } from "../../engine/passes/early_scales.ts";
import { cellByCell, reorderBands } from "../../engine/passes/reorder_bands.ts";
import { splitSums } from "../../engine/passes/split_sums.ts";
import type { Program } from "../../engine/program.ts";
import { leakyRelu } from "../../layers/activation.ts";
import { inverseHaar } from "../../layers/haar.ts";
import { difference, runModel } from "./run_model.ts";

type T4 = tf.Tensor4D;
type Fn = (inputs: { x: T4; filter: T4; scale: T4; after: T4; map: T4 }) => tf.Tensor;

const engine = await createEngine({ threads: 1 });
const eager = await createEngine({ engine: "tfjs", native: false });
Deno.test.afterAll(async () => {
  await engine.dispose();
  await eager.dispose();
});

const array = (name: string, shape: readonly number[]) => createRandom(1, name).normal(shape);
const inputs = {
  x: array("x", [2, 4, 6, 5]),
  filter: array("filter", [3, 3, 5, 12]),
  scale: array("scale", [2, 1, 1, 12]),
  after: array("after", [1, 1, 1, 3]),
  map: array("map", [1, 4, 6, 1]),
};

const conv: Fn = ({ x, filter }) => tf.conv2d(x, filter, 1, "same");
/** As in a student: bias, noise, activation, and a style that is multiplied. */
const bands: Fn = (given) => {
  const bias = tf.mean(given.filter, [0, 1, 2]);
  return tf.mul(leakyRelu(tf.add(conv(given), tf.add(given.map, bias)), 0.2), given.scale);
};
const image = (fn: Fn): Fn => (given) => inverseHaar(fn(given) as T4);
const scaled = (fn: Fn): Fn => (given) => tf.mul(fn(given), given.after);

function programOf(fn: Fn): Program {
  return engine.compile(fn as never, { name: "bands" }).program(inputs as never);
}

/** Inputs in the order in which programs have them. */
const arrays = Object.entries(inputs).toSorted(([a], [b]) => a < b ? -1 : 1).map(([, array]) =>
  array
);

const byCells = ({ ops }: Program) =>
  ops.filter(({ kernel, attributes }) => kernel === "InverseHaar" && attributes["reordered"])
    .length;

async function assertSame(fn: Fn, rewritten: Program): Promise<void> {
  const { data: expected } = await eager.compile(fn as never, { name: "bands" })(
    inputs as never,
  ) as HostArray;
  for (const target of ["webgpu", "openvino"] as const) {
    const forms = target === "openvino" ? { forms: openvinoForms } : {};
    const { data } = await runModel(lower(rewritten, target, nodeRules(), forms), arrays);
    assert.equal(data.length, expected.length);
    const worst = difference(data as Float32Array, expected as Float32Array);
    assert.ok(worst <= 1e-5, `${target} differs by ${worst}`);
  }
}

const chains: Record<string, Fn> = {
  "a convolution alone": image(conv),
  "a convolution, bias, noise, activation and style": image(bands),
  "the same, and a style after it": scaled(image(bands)),
};
for (const [name, fn] of Object.entries(chains)) {
  for (const [how, prepare] of Object.entries({ together: (p: Program) => p, apart: splitSums })) {
    Deno.test(`reorderBands() makes bands cell by cell after ${name}, sums ${how}`, async () => {
      const rewritten = reorderBands(prepare(programOf(fn)));
      assert.equal(byCells(rewritten), 1);
      await assertSame(fn, rewritten);
    });
  }
}

const others: Record<string, Fn> = {
  "bands that something else reads, too": (given) => {
    const made = bands(given);
    return tf.add(tf.mean(inverseHaar(made as T4), [1, 2]), tf.mean(made));
  },
  "a sum of two images": image((given) => tf.add(bands(given), tf.square(conv(given)))),
  "an operation that mixes channels": image((given) => tf.reverse(conv(given), 3)),
  "bands that are given": image(({ x, scale }) => tf.mul(tf.mean(x, 3, true), scale)),
};
for (const [name, fn] of Object.entries(others)) {
  Deno.test(`reorderBands() leaves ${name}`, async () => {
    const rewritten = reorderBands(programOf(fn));
    assert.equal(byCells(rewritten), 0);
    await assertSame(fn, rewritten);
  });
}

Deno.test("reorderBands() leaves transforms for which no order is wanted", async () => {
  const order = (bands: number) => bands > 12 ? cellByCell(bands) : undefined;
  const program = programOf(image(bands));
  assert.equal(reorderBands(program, order), program);
  await assertSame(image(bands), program);
});

Deno.test("earlyScales() multiplies bands by what their image is multiplied by", async () => {
  const fn = scaled(image(bands));
  const program = programOf(fn);
  const rewritten = earlyScales(program);
  assert.equal(program.ops.at(-1)!.kernel, "Multiply");
  assert.equal(rewritten.ops.at(-1)!.kernel, "InverseHaar");
  await assertSame(fn, rewritten);
  const both = reorderBands(rewritten);
  assert.equal(byCells(both), 1);
  await assertSame(fn, both);
});

Deno.test("earlyScales() leaves bands that are not multiplied, and images that are read twice", async () => {
  for (
    const fn of [
      scaled(image(conv)),
      ((given) => {
        const made = image(bands)(given);
        return tf.add(tf.mul(made, given.after), made);
      }) as Fn,
    ]
  ) {
    const program = programOf(fn);
    const rewritten = earlyScales(program);
    assert.deepEqual(rewritten.ops, program.ops);
    await assertSame(fn, rewritten);
  }
});
