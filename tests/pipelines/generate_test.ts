import assert from "node:assert/strict";
import { createRandom } from "../../core/random.ts";
import { createCompiledEngine } from "../../engine/compiled.ts";
import { createEngine } from "../../engine/mod.ts";
import { createStudent } from "../../networks/generator.ts";
import { generateImages, latentsOf, noiseOf } from "../../pipelines/generate_images.ts";
import { generateTensors } from "../../pipelines/generate_tensors.ts";
import { interpolateStyles, mixStyles, styleCountOf } from "../../pipelines/latent_tools.ts";
import { loadGenerator } from "../../pipelines/load_generator.ts";
import { heldOutSeeds } from "../../pipelines/held_out.ts";
import { imagesPerRun, openGenerator } from "../../pipelines/run_generator.ts";
import { createRegistry } from "../../registry.ts";
import { nonzero } from "./nonzero.ts";
import { tinyTeacher } from "./tiny.ts";

const engine = await createEngine({ threads: 1 });
Deno.test.afterAll(() => engine.dispose());

const random = createRandom(1, "test");
const made = tinyTeacher();
const teacher = {
  ...made,
  weights: { ...made.weights, "mapping.w_mean": random.normal([8]) },
};
const student = createStudent(teacher, {}, { registry: createRegistry(), seed: 2 });
const size = 16 * 16 * 3;
const image = (data: Float32Array, i: number) => data.slice(i * size, (i + 1) * size);

function assertClose(actual: Float32Array, expected: Float32Array, tolerance = 1e-5) {
  assert.equal(actual.length, expected.length);
  const worst = actual.reduce((w, x, i) => Math.max(w, Math.abs(x - expected[i]!)), 0);
  assert.ok(worst <= tolerance, `differs by ${worst}`);
}

Deno.test("generateImages() makes an image of its seed, whatever the others and the batch", async () => {
  for (const generator of [teacher, student]) {
    const all = await generateImages(generator, { seeds: [3, 1, 2], batch: 2 }, { engine });
    const one = await generateImages(generator, { seeds: [2] }, { engine });
    assert.deepEqual(all.shape, [3, 16, 16, 3]);
    assertClose(image(all.data, 2), one.data);
  }
});

Deno.test("generateImages() draws many small images in parts, the same ones", async () => {
  const both = await createEngine({ threads: 2 });
  const seeds = Array.from({ length: 21 }, (_, i) => i);
  const noise = [4, 8, 8, 16, 16].map((r) => random.normal([21, r, r, 1]));
  for (const generator of [nonzero(teacher), nonzero(student)]) {
    const maps = noise.slice(0, noiseOf(0, 16).length);
    const [expected, actual] = [
      await generateImages(generator, { seeds, noise: maps }, { engine }),
      await generateImages(generator, { seeds, noise: maps }, { engine: both }),
    ];
    assert.deepEqual(actual.shape, [21, 16, 16, 3]);
    assertClose(actual.data, expected.data);
  }
  await both.dispose();
});

/** An engine of some lanes whose images are black, which takes notes of its runs. */
function blackEngine(lanes: number, failing?: number) {
  const notes = { batches: [] as number[], lanes: [] as number[], most: 0 };
  let active = 0;
  const engine = createCompiledEngine({
    name: "onnx",
    device: "cpu",
    threads: lanes,
    precision: "f32",
    description: "black images",
    lanes,
    open: ({ name, outputs, values }, options) => {
      const isSynthesis = name.startsWith("synthesis");
      if (isSynthesis) notes.lanes.push(options.lanes);
      return Promise.resolve({
        async run() {
          if (isSynthesis) notes.batches.push(values[outputs[0]!]!.shape[0]!);
          if (notes.batches.length === failing) throw new Error("Cannot draw");
          notes.most = Math.max(notes.most, ++active);
          await new Promise((resolve) => setTimeout(resolve, 5));
          active--;
          return outputs.map((id) => {
            const { shape } = values[id]!;
            return { shape, data: new Float32Array(shape.reduce((size, n) => size * n, 1)) };
          });
        },
        release: () => Promise.resolve(),
      });
    },
    close: () => {},
  });
  return { engine, notes };
}

Deno.test("parts of images are drawn side by side, and no more of them than are wanted", async () => {
  const { engine, notes } = blackEngine(2);
  const running = openGenerator(teacher, engine);
  const draw = async (count: number, batch?: number) => {
    Object.assign(notes, { batches: [], most: 0 });
    const w = { shape: [count, 8], data: new Float32Array(count * 8) };
    const { image } = await running.images(w, noiseOf(0, 16), { batch });
    assert.equal(image.shape[0], count);
    return [notes.batches, notes.most];
  };
  assert.deepEqual(await draw(36), [[8, 8, 8, 8, 8], 2]); // the last one half empty
  assert.deepEqual(await draw(16), [[8, 8], 2]);
  assert.deepEqual(await draw(7), [[7], 1]);
  assert.deepEqual(await draw(3, 1), [[1, 1, 1], 1]);
  assert.deepEqual(notes.lanes, [2, 1, 1]);
  await running.dispose();
  await engine.dispose();
});

Deno.test("a part that cannot be drawn is the last one", async () => {
  const { engine, notes } = blackEngine(2, 2);
  const running = openGenerator(teacher, engine);
  const w = { shape: [64, 8], data: new Float32Array(64 * 8) };
  await assert.rejects(running.images(w, noiseOf(0, 16)), { message: "Cannot draw" });
  assert.deepEqual(notes.batches, [8, 8]);
  await running.dispose();
  await engine.dispose();
});

Deno.test("a student's heads are computed where they are asked for only", async () => {
  const running = openGenerator(student, engine);
  const w = { shape: [1, 8], data: new Float32Array(8).fill(0.5) };
  const lean = await running.images(w, noiseOf(0, 16));
  const whole = await running.images(w, noiseOf(0, 16), { heads: true });
  assert.deepEqual(lean.heads, []);
  assert.deepEqual(whole.heads.map(({ shape }) => shape), [[1, 4, 4, 12], [1, 8, 8, 12]]);
  assertClose(lean.image.data, whole.image.data);
  await running.dispose();
});

Deno.test("a run makes fewer images the larger they are", () => {
  assert.deepEqual([64, 128, 256, 512, 1024].map(imagesPerRun), [16, 16, 4, 1, 1]);
  assert.deepEqual([64, 256, 512].map((sizePx) => heldOutSeeds(sizePx).length), [64, 64, 16]);
});

Deno.test("generateImages() truncates every image of a batch to the mean", async () => {
  const { data } = await generateImages(teacher, { seeds: [1, 2], truncation: 0 }, { engine });
  const w = { shape: [1, 8], data: teacher.weights["mapping.w_mean"].data };
  const mean = await generateImages(teacher, { w }, { engine });
  assertClose(image(data, 0), mean.data);
  assertClose(image(data, 1), mean.data);
});

Deno.test("generateImages() wants seeds or styles", async () => {
  await assert.rejects(generateImages(teacher, {}, { engine }), {
    name: "TypeError",
    message: 'Cannot generate images: expected either "seeds" or "w" but received neither',
  });
});

Deno.test("generateImages() refuses no images, and noise of others", async () => {
  const none = { message: "Cannot generate images: expected seeds or styles but received none" };
  await assert.rejects(generateImages(teacher, { seeds: [] }, { engine }), none);
  for (const seed of [1.5, -1, NaN]) {
    await assert.rejects(generateImages(teacher, { seeds: [0, seed] }, { engine }), {
      name: "RangeError",
      message:
        `Cannot generate images: expected seeds to be whole numbers from 0 on but received ${seed}`,
    });
  }
  const w = { shape: [0, 8], data: new Float32Array() };
  await assert.rejects(generateImages(teacher, { w }, { engine }), none);
  const noise = noiseOf(0, 16).map(({ shape: [, r] }) => ({
    shape: [2, r!, r!, 1],
    data: new Float32Array(2 * r! ** 2),
  }));
  await assert.rejects(generateImages(teacher, { seeds: [1, 2, 3], noise }, { engine }), {
    name: "RangeError",
    message:
      "Cannot generate images: expected noise maps of one image or of all 3 but received some of 2",
  });
});

Deno.test("generateTensors() gives NCHW images, styles and a student's heads", async () => {
  const z = latentsOf([5], 8);
  const noise = Object.fromEntries(
    noiseOf(0, 16).map((
      { shape: [, r], data },
      i,
    ) => [`noise_${i}`, { shape: [1, 1, r!, r!], data }]),
  );
  const out = await generateTensors(student, { z, ...noise }, { engine });
  assert.deepEqual(Object.keys(out).sort(), ["head_0", "head_1", "image", "w"]);
  assert.deepEqual(out["head_1"]!.shape, [1, 12, 8, 8]);
  const { data } = await generateImages(student, { seeds: [5] }, { engine });
  const nchw = Float32Array.from(
    { length: size },
    (_, i) => data[(i % 256) * 3 + Math.floor(i / 256)]!,
  );
  assertClose(out["image"]!.data, nchw);
});

Deno.test("generateTensors() names what it cannot use", async () => {
  const z = latentsOf([5], 8);
  const scalar = { shape: [], data: Float32Array.of(1) };
  await assert.rejects(generateTensors(teacher, { z, psi: scalar }, { engine }), {
    message:
      'Cannot generate from tensors: expected z or w, noise_0, noise_1, ... and truncation but received "psi"',
  });
  await assert.rejects(generateTensors(teacher, { z: latentsOf([5], 9) }, { engine }), {
    message: 'Cannot generate from tensors: expected "z" of shape [N,8] but received [1,9]',
  });
  const noise = { shape: [1, 1, 4, 4], data: new Float32Array(16) };
  await assert.rejects(generateTensors(teacher, { z, noise_0: noise }, { engine }), {
    message:
      'Cannot generate from tensors: expected "noise_1" of shape [1 or 1,1,8,8] but received nothing',
  });
});

Deno.test("mixStyles() takes the coarse layers of the row and the fine ones of the column", async () => {
  const colours = createStudent(teacher, { domain: "pixel" }, { registry: createRegistry() });
  for (const generator of [teacher, student, colours]) {
    const layers = styleCountOf(generator);
    const options = { rows: [1], columns: [2], truncation: 1 };
    const [all, none] = await Promise.all(
      [0, layers].map((from) => mixStyles(generator, { ...options, from }, { engine })),
    );
    const own = await generateImages(generator, { seeds: [1, 2] }, { engine });
    assert.deepEqual(all!.shape, [4, 16, 16, 3]);
    assertClose(image(all!.data, 3), image(own.data, 1)); // all layers of the column
    assertClose(image(none!.data, 3), image(own.data, 0)); // all layers of the row
  }
});

Deno.test("interpolateStyles() goes from seed to seed", async () => {
  const options = { seeds: [1, 2], frames: 3, truncation: 1 };
  const walk = await interpolateStyles(teacher, options, { engine });
  const own = await generateImages(teacher, { seeds: [1, 2] }, { engine });
  assert.equal(walk.shape[0], 4);
  assertClose(image(walk.data, 0), image(own.data, 0));
  assertClose(image(walk.data, 3), image(own.data, 1));
  await assert.rejects(interpolateStyles(teacher, { ...options, frames: 0 }, { engine }), {
    name: "RangeError",
    message: 'Cannot interpolate: expected "frames" to be an integer of at least 1 but received 0',
  });
});

Deno.test("loadGenerator() says what a name may stand for", async () => {
  await assert.rejects(loadGenerator("avatar-64"), {
    name: "RangeError",
    message:
      'Cannot load "avatar-64": expected a file, or a shipped model ("avatars-64"), but found neither; did you mean "avatars-64"?',
  });
  await assert.rejects(loadGenerator("toString"), {
    message:
      'Cannot load "toString": expected a file, or a shipped model ("avatars-64"), but found neither',
  });
});
