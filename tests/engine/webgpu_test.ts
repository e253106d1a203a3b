/**
 * ONNX Runtime's WebGPU provider against its CPU provider: kernels with their derivatives, parts, and
 * a distillation. `deno task test:gpu` runs it on a software GPU; elsewhere it is ignored.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { commands } from "../../cli.ts";
import { runCommandLine } from "../../cli/run_command_line.ts";
import { partsOf } from "../../core/check_plugin.ts";
import { createRandom } from "../../core/random.ts";
import { createEngine, disposeArrays, readArrays } from "../../engine/mod.ts";
import { conformanceOf } from "../../pipelines/conformance/mod.ts";
import { saveGenerator } from "../../pipelines/generator_file.ts";
import { builtin, createRegistry } from "../../registry.ts";
import { fakeProcess } from "../cli/fake_process.ts";
import { tinyStudent, tinyTeacher } from "../pipelines/evaluate/tiny_subjects.ts";
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
/** WGSL leaves the logarithm of 0 and below open, and may take infinities as absent. */
const LOGARITHMS = ["Log", "Log1p"];

for (const { kernel, compare } of compareKernels(MISSING)) {
  Deno.test(`webgpu: kernel ${kernel} is the CPU's, derivatives too`, { ignore }, async () => {
    const tolerance = SINES.includes(kernel) ? 1e-3 : 1e-5;
    await compare(cpu, gpu, tolerance, { nonFinite: !LOGARITHMS.includes(kernel) });
  });
}

const general = / has options | makes whole and repeatable weights$| survives /;
for (const { name, run } of conformanceOf(partsOf(builtin, false), registry, [cpu, gpu])) {
  if (!name.endsWith("gives the same on every engine") || general.test(name)) continue;
  Deno.test(`webgpu: ${name}`, { ignore }, run);
}

Deno.test("webgpu: the adapter is named, and software warned of", { ignore }, () => {
  const where = /^ONNX Runtime [\d.]+ on WebGPU, .*\w.*$/;
  assert.match(gpu.description, where);
  const isSoftware = /SwiftShader|llvmpipe/.test(gpu.description);
  assert.equal(gpu.description.endsWith(" (a software adapter: slow)"), isSoftware);
});

Deno.test("webgpu: a limit that is met is an error", { ignore }, async () => {
  const big = gpu.compile(
    ({ x }: { x: tf.Tensor }) => tf.sum(tf.tile(x, [9 * 2 ** 10])),
    { name: "big" },
  );
  await assert.rejects(big({ x: { shape: [2 ** 15], data: new Float32Array(2 ** 15) } }), {
    name: "DeviceError",
    fault: "limit",
    message:
      'Cannot run "big" on webgpu with onnx: expected it to keep to the device\'s limits but it does not; use a smaller batch',
  });
  const small = gpu.compile(({ x }: { x: tf.Tensor }) => tf.add(x, 1), { name: "small" });
  assert.deepEqual([...(await small({ x: { shape: [1], data: Float32Array.of(1) } })).data], [2]);
});

Deno.test("webgpu: evaluate --verbose counts what is left to the CPU", { ignore }, async () => {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-verbose-" });
  const weights = join(folder, "student.safetensors");
  await saveGenerator(weights, tinyStudent(tinyTeacher()));
  const evaluate = ["evaluate", "--weights", weights, "--metrics", "ppl", "--paths", "4"];
  const device = ["--device", "webgpu", "--threads", "1", "--verbose"];
  const process = fakeProcess();
  const out = ["--out", join(folder, "report")];
  const code = await runCommandLine([...evaluate, ...device, ...out], commands, process);
  assert.equal(code, 0, process.err.join("\n"));
  const counted = process.err.filter((line) => / nodes on webgpu/.test(line));
  assert.ok(counted.length > 0, process.err.join("\n"));
  await Deno.remove(folder, { recursive: true });
});

Deno.test("webgpu: distill() makes the CPU's ten steps", { ignore }, async () => {
  const before = notes.length; // kernels of other tests, of which the device lacks some
  await assertSameDistillation(gpu, cpu, { steps: 10, tolerance: 1e-4 });
  const own = notes.slice(before);
  const steps = own.filter((note) => note.includes(" step ("));
  assert.ok(steps.length >= 4, own.join("\n"));
  for (const note of own) assert.match(note, /: all \d+ nodes on webgpu$/);
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
