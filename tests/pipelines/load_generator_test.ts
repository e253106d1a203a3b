import assert from "node:assert/strict";
import { join } from "node:path";
import type { HostArray } from "../../core/contracts.ts";
import { writeSafetensorsFile } from "../../io/safetensors.ts";
import { createTeacher } from "../../networks/generator.ts";
import { convert } from "../../pipelines/convert.ts";
import { saveGenerator } from "../../pipelines/generator_file.ts";
import { loadDiscriminator, loadGenerator, loadTeacher } from "../../pipelines/load_generator.ts";
import { createRegistry } from "../../registry.ts";

const golden = (name: string) => new URL(`../golden/${name}`, import.meta.url);

Deno.test("loadGenerator() takes a teacher of another program, its discriminator apart", async () => {
  const path = golden("rosinality.pt");
  const { weights } = await convert(path);
  const teacher = await loadTeacher(path);
  assert.equal(teacher.config.sizePx, 32);
  const { weights: critic, config } = teacher.discriminator!;
  assert.equal(config.sizePx, 32);
  const both = [
    ...Object.keys(teacher.weights),
    ...Object.keys(critic).map((name) => `discriminator.${name}`),
  ];
  assert.deepEqual(both.sort(), Object.keys(weights).sort());
  assert.ok(!Object.keys(teacher.weights).some((name) => name.startsWith("discriminator.")));
});

/** torchvision's VGG16 with a channel per layer. */
function vgg16(): Record<string, HostArray> {
  const indices = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28];
  const zeros = (...shape: number[]): HostArray => ({
    shape,
    data: new Float32Array(shape.reduce((product, n) => product * n, 1)),
  });
  return Object.fromEntries(indices.flatMap((index, i) => [
    [`features.${index}.weight`, zeros(1, i === 0 ? 3 : 1, 3, 3)],
    [`features.${index}.bias`, zeros(1)],
  ]));
}

Deno.test("loadGenerator() refuses weights of something else", async () => {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-load-" });
  try {
    const path = join(folder, "features.safetensors");
    await writeSafetensorsFile(path, vgg16(), {});
    await assert.rejects(loadGenerator(path), {
      name: "TypeError",
      message:
        `Cannot load a generator from "${path}": expected a teacher or a student but received weights of vgg16`,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("loadGenerator() says which text of a file is broken", async () => {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-load-" });
  try {
    const path = join(folder, "broken.safetensors");
    const metadata = { "haarlem.kind": "teacher", "haarlem.config": "{" };
    await writeSafetensorsFile(path, {}, { metadata });
    await assert.rejects(loadGenerator(path), {
      name: "RangeError",
      message:
        `Cannot load a generator from "${path}": expected JSON in the metadata "haarlem.config" but received "{"`,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("loadDiscriminator() takes that of a teacher's file, or says that there is none", async () => {
  const { discriminator } = await loadTeacher(golden("rosinality.pt"));
  assert.deepEqual(await loadDiscriminator(golden("rosinality.pt")), discriminator);
  const folder = await Deno.makeTempDir({ prefix: "haarlem-load-" });
  try {
    const path = join(folder, "alone.safetensors");
    const config = { sizePx: 16, styleDim: 8, mappingLayers: 2, channels: [8, 8, 4] };
    await saveGenerator(path, createTeacher(config, { registry: createRegistry(), seed: 1 }));
    await assert.rejects(loadDiscriminator(path), {
      name: "RangeError",
      message:
        `Cannot load a discriminator from "${path}": expected a teacher with its discriminator but its file has none`,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
