/**
 * TensorFlow.js's WebGPU backend on Deno's WebGPU against its CPU backend. `deno task test:gpu` runs
 * it on a software GPU; elsewhere it is ignored.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { partsOf } from "../../core/check_plugin.ts";
import { createEngine, disposeArrays, readArrays } from "../../engine/mod.ts";
import { conformanceOf } from "../../pipelines/conformance/mod.ts";
import { builtin, createRegistry } from "../../registry.ts";
import { distill } from "../../pipelines/distill.ts";
import { tinyDistill, tinyTeacher } from "../pipelines/tiny.ts";
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
  await assert.rejects(big({ x }), {
    name: "DeviceError",
    message:
      'Cannot run "big" on webgpu with tfjs: expected it to keep to the device\'s limits but it does not; use a smaller batch',
  });
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

// The last one: no test can use the device afterwards.
Deno.test("tfjs on webgpu: a device that is lost ends the run", { ignore }, async () => {
  const out = await Deno.makeTempDir({ prefix: "haarlem-lost-" });
  const { device } = tf.findBackend("webgpu") as unknown as { readonly device: GPUDevice };
  const run = async () => {
    const context = { engine: gpu, registry: createRegistry(), teacher: tinyTeacher(), out };
    for await (const event of distill({ ...tinyDistill, losses: [{ name: "pixel" }] }, context)) {
      if (event.kind === "step" && event.step === 6) device.destroy(); // as a driver's reset would
    }
  };
  const checkpoint = join(out, "checkpoints", "checkpoint-000000.032-kimg.safetensors");
  await assert.rejects(run(), {
    name: "DeviceError",
    fault: "lost",
    message:
      `Cannot run "student step (pixel)" on webgpu with tfjs: expected the device to stay but it was lost, and what lay on it is gone; see the system's log for a reset of its driver; the checkpoint "${checkpoint}" stands, and the same command goes on from there`,
  });
  assert.ok((await Deno.stat(checkpoint)).size > 0);
  await Deno.remove(out, { recursive: true });
});
