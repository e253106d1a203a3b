import assert from "node:assert/strict";
import type { HostArray } from "../../core/contracts.ts";
import {
  inspectSafetensorsFile,
  readSafetensorsFile,
  writeSafetensorsFile,
} from "../../io/safetensors.ts";
import { createStudent } from "../../networks/generator.ts";
import { readFeatureWeights } from "../../pipelines/feature_file.ts";
import { saveGenerator } from "../../pipelines/generator_file.ts";
import { createRegistry } from "../../registry.ts";
import { tinyTeacher } from "../pipelines/tiny.ts";
import { run } from "./run.ts";

Deno.test("convert says in a sentence that a file is cut off", async () => {
  const folder = await Deno.makeTempDir();
  const cuts: Readonly<Record<string, readonly [number, string]>> = {
    "ada.pkl": [
      20_000,
      "at byte 11: expected a frame of 91948 bytes but received 19989 bytes of a cut-off file",
    ],
    "ada_protocol3.pkl": [
      200_000,
      "at byte 187544: expected 20978 more bytes of an array but received 12456 bytes of a cut-off file",
    ],
    "rosinality.pt": [
      20_000,
      "at byte 20000: expected the directory of a zip archive but received a cut-off file",
    ],
  };
  for (const [name, [length, problem]] of Object.entries(cuts)) {
    const bytes = await Deno.readFile(new URL(`../golden/${name}`, import.meta.url));
    const cut = `${folder}/${name}`;
    await Deno.writeFile(cut, bytes.subarray(0, length));
    const out = `${folder}/out.safetensors`;
    const err = `Cannot read "${cut}" ${problem}`;
    assert.deepEqual(await run("convert", cut, "--out", out), { code: 1, out: "", err });
    await assert.rejects(Deno.stat(out), Deno.errors.NotFound);
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("convert writes a generator, and says what it found and left out", async () => {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-cli-convert-" });
  try {
    const file = new URL("../golden/rosinality.pt", import.meta.url).pathname;
    const out = `${folder}/teacher.safetensors`;
    const { code, out: said } = await run("convert", file, "--out", out, "--half");
    assert.equal(code, 0);
    assert.deepEqual(said.split("\n"), [
      'generator of rosinality\'s StyleGAN2 below "g_ema"',
      "32 px, channels 32, 32, 24, 16, styles of 32, 4 mapping layers",
      'discriminator of rosinality\'s StyleGAN2 below "d", channels 32, 32, 24, 16',
      "left out: g (73), g_optim (180), d_optim (69)",
      "left out: the file's fixed noise maps; noise is drawn from a seed here",
      `Wrote ${out}`,
    ]);
    const halfBytes = (await Deno.stat(out)).size;
    const { out: json } = await run("convert", file, "--out", out, "--json");
    const { kind, out: written, source, leftOut } = JSON.parse(json);
    assert.deepEqual([kind, written, source], ["teacher", out, "rosinality"]);
    assert.deepEqual(leftOut, { g: 73, g_optim: 180, d_optim: 69 });
    const bytes = (await Deno.stat(out)).size;
    assert.ok(halfBytes < 0.6 * bytes, `${halfBytes} of ${bytes} bytes`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("convert halves a student of our own, and keeps its texts", async () => {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-cli-convert-" });
  try {
    const student = createStudent(tinyTeacher(), {}, { registry: createRegistry(), seed: 1 });
    // A part of a plugin that is not loaded: to write the file anew, nobody need know it.
    const config = { ...student.config, upscale: { name: "acme/zoom" } };
    const metadata = { licence: "CC0", "haarlem.training": '{"plugins":["npm:acme"]}' };
    const [file, half, whole] = ["student", "half", "whole"].map((name) =>
      `${folder}/${name}.safetensors`
    ) as [string, string, string];
    await saveGenerator(file, { ...student, config }, { metadata });
    assert.deepEqual(await run("convert", file, "--out", half, "--half"), {
      code: 0,
      out: `student of this project, 16 px\nWrote ${half}`,
      err: "",
    });
    const before = await readSafetensorsFile(file);
    const after = await readSafetensorsFile(half);
    assert.deepEqual(after.metadata, before.metadata);
    assert.equal(after.metadata["haarlem.training"], metadata["haarlem.training"]);
    const rounded = ({ shape, data }: HostArray) => ({
      shape,
      data: new Float32Array(new Float16Array(data)),
    });
    assert.deepEqual(
      after.tensors,
      Object.fromEntries(Object.entries(before.tensors).map(([name, t]) => [name, rounded(t)])),
    );
    const { entries } = await inspectSafetensorsFile(half);
    assert.ok(entries.length > 0 && entries.every(({ dtype }) => dtype === "F16"));
    assert.equal((await run("convert", file, "--out", whole)).code, 0);
    assert.deepEqual(await Deno.readFile(whole), await Deno.readFile(file));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("convert writes a teacher of our own in its place, with its discriminator", async () => {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-cli-convert-" });
  try {
    const file = `${folder}/teacher.safetensors`;
    await saveGenerator(file, tinyTeacher(), { dtype: "F16", metadata: { licence: "CC0" } });
    const bytes = await Deno.readFile(file);
    const { out } = await run("convert", file, "--out", file, "--half", "--json");
    const { kind, source, found } = JSON.parse(out);
    assert.deepEqual([kind, source, found], ["teacher", "haarlem", [
      "teacher of this project, 16 px",
      "its discriminator, channels 8, 8, 4",
    ]]);
    assert.deepEqual(await Deno.readFile(file), bytes);
    assert.deepEqual(await run("convert", file, "--out", file, "--kind", "vgg16"), {
      code: 1,
      out: "",
      err: `Cannot convert "${file}": expected kind "vgg16" but received a teacher of this project`,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("convert writes a feature network that is read like the file it was made of", async () => {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-cli-convert-" });
  try {
    const numbers = (shape: number[]) => ({
      shape,
      data: Float32Array.from({ length: shape.reduce((size, n) => size * n, 1) }, (_, i) => i),
    });
    const layers = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28].flatMap((index, i) => [
      [`features.${index}.weight`, numbers([4, i === 0 ? 3 : 4, 3, 3])] as const,
      [`features.${index}.bias`, numbers([4])] as const,
    ]);
    const [file, out] = [`${folder}/vgg16.safetensors`, `${folder}/own.safetensors`];
    await writeSafetensorsFile(file, Object.fromEntries(layers));
    assert.equal((await run("convert", file, "--out", out)).code, 0);
    const weights = await readFeatureWeights(out, "vgg16");
    assert.deepEqual(weights["features.2.weight"]!.shape, [3, 3, 4, 4]);
    assert.deepEqual({ ...weights }, { ...await readFeatureWeights(file, "vgg16") });
    await assert.rejects(readFeatureWeights(out, "inception"), {
      name: "RangeError",
      message:
        `Cannot convert "${out}": expected kind "inception" but received features of vgg16 of this project`,
    });
    const half = `${folder}/half.safetensors`;
    assert.deepEqual(await run("convert", out, "--half", "--out", half), {
      code: 0,
      out: `features of vgg16 of this project\nWrote ${half}`,
      err: "",
    });
    assert.deepEqual({ ...await readFeatureWeights(half, "vgg16") }, { ...weights }); // small integers
    const { metadata } = await inspectSafetensorsFile(half);
    assert.deepEqual(metadata, { "haarlem.features": "vgg16", "haarlem.source": "torchvision" });
    const cut = `${folder}/cut.safetensors`;
    await Deno.writeFile(cut, (await Deno.readFile(out)).subarray(0, 100));
    assert.match(
      (await run("convert", cut, "--out", half)).err,
      /^Cannot read safetensors ".+cut\.safetensors": expected a header of \d+ bytes but received a file that ends after 92 of them$/,
    );
    assert.ok((await Deno.stat(half)).size < 0.7 * (await Deno.stat(out)).size);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
