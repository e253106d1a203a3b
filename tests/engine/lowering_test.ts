import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { createRandom } from "../../core/random.ts";
import { lower } from "../../engine/lowering.ts";
import type { Program } from "../../engine/program.ts";
import type { KernelRule } from "../../engine/rule.ts";
import { runModel } from "./run_model.ts";

/** A model of one `permute()`. */
function permuted(shape: readonly number[], perm: readonly number[]): Uint8Array {
  const result = perm.map((axis) => shape[axis]!);
  const program: Program = {
    name: "permute",
    values: [{ shape, dtype: "float32" }, { shape: result, dtype: "float32" }],
    ops: [{ kernel: "Permute", inputs: [0], attributes: {}, outputs: [1] }],
    inputs: [0],
    outputs: [1],
    draws: [],
  };
  const rule: KernelRule = {
    kernel: "Permute",
    inputs: ["x"],
    infer: () => ({ shape: result, dtype: "float32" }),
    lower: ({ inputs, outputs }, l) =>
      l.put(outputs[0]!, l.permute(l.get(inputs[0]!), shape, perm)),
  };
  return lower(program, "onnxruntime", new Map([["Permute", rule]]));
}

const orders = fc.integer({ min: 1, max: 5 }).chain((rank) =>
  fc.record({
    shape: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: rank, maxLength: rank }),
    perm: fc.shuffledSubarray([...Array(rank).keys()], { minLength: rank, maxLength: rank }),
  })
);

Deno.test("permute() puts axes in any order", async () => {
  await tf.setBackend("cpu");
  await fc.assert(
    fc.asyncProperty(orders, async ({ shape, perm }) => {
      const x = createRandom(1, "permute").normal(shape);
      const made = await runModel(permuted(shape, perm), [x]);
      const expected = tf.transpose(tf.tensor(x.data, shape), perm);
      assert.deepEqual(made.shape, expected.shape);
      assert.deepEqual(made.data, expected.dataSync());
      expected.dispose();
    }),
    { numRuns: 200 },
  );
});
