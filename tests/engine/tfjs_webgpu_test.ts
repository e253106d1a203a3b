/**
 * TensorFlow.js's WebGPU backend on Deno's WebGPU against its CPU backend. `deno task test:gpu` runs
 * it on a software GPU; elsewhere it is ignored.
 */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { partsOf } from "../../core/check_plugin.ts";
import { createEngine, disposeArrays, readArrays } from "../../engine/mod.ts";
import { conformanceOf } from "../../pipelines/conformance/mod.ts";
import { builtin, createRegistry } from "../../registry.ts";
import { assertSameDistillation } from "./same_distillation.ts";

const ignore = Deno.env.get("HAARLEM_TEST_GPU") !== "tfjs";
const cpu = await createEngine({ threads: 1 });
const gpu = ignore ? cpu : await createEngine({ engine: "tfjs", device: "webgpu" });

Deno.test.afterAll(async () => {
  await cpu.dispose();
  await gpu.dispose();
});

for (const { name, run } of conformanceOf(partsOf(builtin, false), createRegistry(), [cpu, gpu])) {
  if (!name.endsWith("gives the same on every engine")) continue;
  Deno.test(`tfjs on webgpu: ${name}`, { ignore }, run);
}

Deno.test("tfjs on webgpu: distill() makes the CPU's ten steps", { ignore }, async () => {
  await assertSameDistillation(gpu, cpu, { steps: 10, tolerance: 1e-4 });
});

Deno.test("tfjs on webgpu: a limit that is met is an error, not zeros", { ignore }, async () => {
  const big = gpu.compile(
    ({ x }: { x: tf.Tensor }) => tf.sum(tf.add(tf.zeros([3 * 2 ** 24]), x)),
    { name: "big" },
  );
  const x = { shape: [1], data: Float32Array.of(1) };
  await assert.rejects(big({ x }), { name: "DeviceError", message: /^Cannot run "big" on webgpu/ });
  const small = gpu.compile(({ x }: { x: tf.Tensor }) => tf.add(x, 1), { name: "small" });
  assert.deepEqual([...(await small({ x })).data], [2]);
});

Deno.test("tfjs on webgpu: outputs stay on the device when asked to", { ignore }, async () => {
  const before = tf.memory().numTensors;
  const step = gpu.compile(
    ({ state }: { state: tf.Tensor }) => ({ state: tf.add(state, 1), same: state }),
    { name: "counter", resident: ["state", "same"] },
  );
  const first = await step({ state: { shape: [2], data: Float32Array.of(0, 1) } });
  const second = await step({ state: first.state });
  disposeArrays(first);
  const { state, same } = await readArrays(second);
  assert.deepEqual([[...state.data], [...same.data]], [[2, 3], [1, 2]]);
  disposeArrays(second);
  assert.equal(tf.memory().numTensors, before);
});
