import assert from "node:assert/strict";
import { join } from "node:path";
import { commands } from "../../cli.ts";
import { runCommandLine } from "../../cli/run_command_line.ts";
import type { HostArray } from "../../core/contracts.ts";
import { createEngine } from "../../engine/mod.ts";
import { runOnnx } from "../../io/run_onnx.ts";
import { noiseShapes } from "../../networks/config.ts";
import type { Generator } from "../../networks/generator.ts";
import { exportOnnx, type ExportOnnxOptions } from "../../pipelines/export_onnx.ts";
import { generateImages, latentsOf, noiseOf } from "../../pipelines/generate_images.ts";
import { saveGenerator } from "../../pipelines/generator_file.ts";
import { loadGenerator } from "../../pipelines/load_generator.ts";
import { models } from "../../pipelines/models.ts";
import { openGenerator } from "../../pipelines/run_generator.ts";
import { createRegistry } from "../../registry.ts";
import { fakeProcess } from "../cli/fake_process.ts";
import { tinyStudent, tinyTeacher } from "./evaluate/tiny_subjects.ts";
import { nonzero } from "./nonzero.ts";

const engine = await createEngine({ threads: 1 });
Deno.test.afterAll(() => engine.dispose());

const teacher = nonzero(tinyTeacher());
const student = nonzero(tinyStudent(teacher));
const seeds = [5, 6];
const z = latentsOf(seeds, 8);
const psi = 0.6;
const truncation = { shape: [], data: Float32Array.of(psi) };

function assertNear(actual: HostArray, expected: HostArray, tolerance = 1e-5): void {
  assert.deepEqual(actual.shape, expected.shape);
  const scale = Math.max(...expected.data.map(Math.abs));
  actual.data.forEach((value, i) =>
    assert.ok(Math.abs(value - expected.data[i]!) <= tolerance * scale, `${i}: ${value}`)
  );
}

const expectedOf = (generator: Generator, noiseSeed = 0) =>
  generateImages(generator, { seeds, truncation: psi, noiseSeed }, { engine });

const exported = (generator: Generator, options: ExportOnnxOptions = {}) =>
  exportOnnx(generator, { batch: 2, ...options }, { engine });

const generators: Record<string, Generator> = {
  "a teacher": teacher,
  "a student": student,
  ...Object.fromEntries(
    Object.entries({
      "skip heads": { head: { name: "skip" } },
      "transposed convolutions": { upscale: { name: "conv_transpose" } },
      "StyleGAN2's demodulation": { demodulation: { name: "styled" } },
      "modulated convolutions": { conv: { name: "modulated" } },
      "no auxiliary heads": { auxiliary: false },
      "colours": { domain: "pixel" as const },
    }).map(([name, parts]) => [`a student of ${name}`, nonzero(tinyStudent(teacher, parts))]),
  ),
};

for (const [name, generator] of Object.entries(generators)) {
  Deno.test(`exportOnnx() writes ${name} that draws the same images`, async () => {
    const { bytes, inputs, outputs } = await exported(generator);
    assert.deepEqual(inputs, [{ name: "z", shape: [2, 8] }, { name: "truncation", shape: [] }]);
    assert.deepEqual(outputs, [{ name: "image", shape: [2, 16, 16, 3] }]);
    const { image } = await runOnnx(bytes, { z, truncation });
    assertNear(image!, await expectedOf(generator));
  });
}

Deno.test("exportOnnx() takes styles and noise, and gives NCHW", async () => {
  const options = { from: "w", noise: "input", layout: "nchw" } as const;
  const { bytes, inputs } = await exported(student, options);
  const noise = noiseOf(3, 16).slice(0, noiseShapes(8).length);
  assert.deepEqual(inputs.map(({ name }) => name), ["w", "noise_0", "noise_1", "noise_2"]);
  const running = openGenerator(student, engine);
  const w = await running.styles(z, { truncation: psi });
  const { image: nhwc } = await running.images(w, noise);
  await running.dispose();
  const given = Object.fromEntries(noise.map((map, i) => [`noise_${i}`, map]));
  const { image } = await runOnnx(bytes, { w, ...given });
  const nchw = nhwc.data.map((_, i) => {
    const [n, c, pixel] = [Math.floor(i / 768), Math.floor(i / 256) % 3, i % 256];
    return nhwc.data[n * 768 + pixel * 3 + c]!;
  });
  assertNear(image!, { shape: [2, 3, 16, 16], data: nchw });
});

Deno.test("exportOnnx() takes latents, truncation and noise", async () => {
  for (const [generator, lastPx] of [[teacher, 16], [student, 8]] as const) {
    const { bytes, inputs } = await exported(generator, { noise: "input" });
    const noise = noiseOf(3, 16).slice(0, noiseShapes(lastPx).length);
    const given = Object.fromEntries(noise.map((map, i) => [`noise_${i}`, map]));
    assert.deepEqual(
      inputs,
      Object.entries({ z, ...given, truncation }).map(([name, { shape }]) => ({ name, shape })),
    );
    const { image } = await runOnnx(bytes, { z, ...given, truncation });
    assertNear(image!, await expectedOf(generator, 3));
  }
});

Deno.test("exportOnnx() keeps the noise of a seed, or none", async () => {
  const { bytes } = await exported(student, { noiseSeed: 7 });
  const { image } = await runOnnx(bytes, { z, truncation });
  assertNear(image!, await expectedOf(student, 7));
  const without = await exported(student, { noise: "none" });
  assert.ok(without.bytes.length < bytes.length - 4 * (16 + 64 + 64));
  const zeros = noiseOf(0, 16).map(({ shape, data }) => ({ shape, data: data.map(() => 0) }));
  const options = { seeds, truncation: psi, noise: zeros };
  const expected = await generateImages(student, options, { engine });
  assertNear((await runOnnx(without.bytes, { z, truncation })).image!, expected);
});

Deno.test("exportOnnx() stops a student at a head", async () => {
  const { bytes, outputs, largestDifference } = await exported(student, { sizePx: 8 });
  assert.deepEqual(outputs[0]!.shape, [2, 8, 8, 3]);
  assert.ok(largestDifference < 1e-5);
  assert.ok(bytes.length < (await exported(student)).bytes.length);
});

Deno.test("exportOnnx() stores weights in 16 bits", async () => {
  const shipped = await loadGenerator(models["avatars-64"].student, { registry: createRegistry() });
  const [whole, half] = [await exported(shipped), await exported(shipped, { half: true })];
  assert.ok(half.bytes.length < 0.6 * whole.bytes.length);
  assert.ok(half.largestDifference > whole.largestDifference);
  const { image } = await runOnnx(half.bytes, { z: latentsOf(seeds, 64), truncation });
  assertNear(image!, await expectedOf(shipped), 5e-3);
});

Deno.test("exportOnnx() names what it cannot do", async () => {
  await assert.rejects(exported(student, { sizePx: 12 }), {
    name: "RangeError",
    message:
      'Cannot export a student: expected "sizePx" to be one of 8, 16, the images that it has a head for, but received 12',
  });
  await assert.rejects(exported(teacher, { sizePx: 8 }), {
    message:
      'Cannot export a teacher: expected "sizePx" to be one of 16, the images that it has a head for, but received 8',
  });
  await assert.rejects(exported(student, { batch: 0 }), {
    message:
      'Cannot export a generator: expected "batch" to be a whole number of at least 1 but received 0',
  });
});

Deno.test("the command export writes a file that it describes", async () => {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-export-" });
  const [weights, out] = [join(folder, "student.safetensors"), join(folder, "student.onnx")];
  await saveGenerator(weights, student);
  const process = fakeProcess();
  const command = ["export", "--weights", weights, "--out", out, "--threads", "1"];
  assert.equal(await runCommandLine(command, commands, process), 0, process.err.join("\n"));
  const { size } = await Deno.stat(out);
  const [wrote, takes, gives, differs] = process.out;
  assert.deepEqual([wrote, takes, gives], [
    `Wrote ${out}: ${(size / 1e6).toFixed(2)} MB`,
    "  takes z [1,8], truncation []",
    "  gives image [1,16,16,3], in about [-1, 1]",
  ]);
  assert.match(differs!, /^ {2}differs from the engine's image by \d\.\de-\d at most$/);
  await Deno.remove(folder, { recursive: true });
});
