/**
 * ONNX Runtime's WebGPU provider against its CPU provider: kernels with their derivatives, parts, and
 * a distillation. `deno task test:gpu` runs it on a software GPU; elsewhere it is ignored.
 */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { partsOf } from "../../core/check_plugin.ts";
import { createRandom } from "../../core/random.ts";
import { createEngine, disposeArrays, readArrays } from "../../engine/mod.ts";
import { conformanceOf } from "../../pipelines/conformance/mod.ts";
import { builtin, createRegistry } from "../../registry.ts";
import { assertSameDistillation } from "./same_distillation.ts";
import { compareKernels } from "./same_kernels.ts";

const ignore = Deno.env.get("HAARLEM_TEST_GPU") !== "onnx";
const registry = createRegistry();
const notes: string[] = [];
const cpu = await createEngine({ threads: 1 });
const gpu = ignore ? cpu : await createEngine({
  device: "webgpu",
  threads: 1,
  report: (line) => notes.push(line),
});

Deno.test.afterAll(async () => {
  await cpu.dispose();
  await gpu.dispose();
});

/** What ONNX Runtime 1.30 does not compute on WebGPU; no training graph of ours has it. */
const MISSING = ["Pow", /3D/, /^MaxPool/];
/** Sines of WGSL are within 2^-11, and what is built of them. */
const SINES = ["Acos", "Cos", "Sin", "Tan", "Expm1", "SpaceToDepth"];

for (const { kernel, compare } of compareKernels(MISSING)) {
  Deno.test(`webgpu: kernel ${kernel} is the CPU's, derivatives too`, { ignore }, async () => {
    await compare(cpu, gpu, SINES.includes(kernel) ? 1e-3 : 1e-5);
  });
}

const general = / has options | makes whole and repeatable weights$| survives /;
for (const { name, run } of conformanceOf(partsOf(builtin, false), registry, [cpu, gpu])) {
  if (!name.endsWith("gives the same on every engine") || general.test(name)) continue;
  Deno.test(`webgpu: ${name}`, { ignore }, run);
}

Deno.test("webgpu: distill() makes the CPU's ten steps", { ignore }, async () => {
  await assertSameDistillation(gpu, cpu, { steps: 10, tolerance: 1e-4 });
  const steps = notes.filter((note) => note.includes(" step ("));
  assert.ok(steps.length >= 4, notes.join("\n"));
  for (const note of notes) assert.match(note, /: all \d+ nodes on webgpu$/);
});

Deno.test(
  "webgpu: outputs stay on the device when asked to, and are fed back",
  { ignore },
  async () => {
    const step = gpu.compile(
      ({ state }: { state: tf.Tensor }) => ({ state: tf.add(state, 1), sum: tf.sum(state) }),
      { name: "counter", resident: ["state"] },
    );
    const start = { shape: [4], data: Float32Array.of(0, 1, 2, 3) };
    const first = await step({ state: start });
    assert.ok(!("data" in first.state), "it lies on the device");
    assert.deepEqual([...first.sum.data], [6]);
    const second = await step({ state: first.state });
    const { state } = await readArrays({ state: second.state });
    assert.deepEqual([...state.data], [2, 3, 4, 5]);
    await assert.rejects(
      cpu.compile(({ x }: { x: tf.Tensor }) => tf.neg(x), { name: "neg" })({
        x: second.state,
      }),
      {
        name: "TypeError",
        message:
          'Cannot run "neg": expected arrays of the host but received one of another engine\'s device at "x"; await its read() first',
      },
    );
    disposeArrays([first, second]);
    await assert.rejects(readArrays(second.state), {
      message: "Cannot use an array [4]: expected it on the device but it was disposed",
    });
  },
);

Deno.test("webgpu: convolutions of 9 channels are right", { ignore }, async () => {
  // Its shader of vectors of 4 is wrong for numbers that 3 divides and 4 does not.
  const random = createRandom(1, "nine");
  const inputs = { x: random.normal([2, 4, 4, 9]), weight: random.normal([3, 3, 9, 8]) };
  const conv = ({ x, weight }: { x: tf.Tensor; weight: tf.Tensor }) =>
    tf.conv2d(x as tf.Tensor4D, weight as tf.Tensor4D, 1, "same");
  const [a, b] = [
    await cpu.compile(conv, { name: "nine" })(inputs),
    await gpu.compile(conv, { name: "nine" })(inputs),
  ];
  a.data.forEach((x, i) => assert.ok(Math.abs(x - b.data[i]!) < 1e-4, `${i}`));
});
