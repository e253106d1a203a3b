import assert from "node:assert/strict";
import { createEngine } from "../../engine/mod.ts";
import { createStudent } from "../../networks/generator.ts";
import { generateImages } from "../../pipelines/generate_images.ts";
import { heldOutSeeds, measureHeldOut, openHeldOut, setPsnrDb } from "../../pipelines/held_out.ts";
import { openGenerator } from "../../pipelines/run_generator.ts";
import { createRegistry } from "../../registry.ts";
import { nonzero } from "./nonzero.ts";
import { tinyTeacher } from "./tiny.ts";

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-4, `${actual} is not ${expected}`);
const images = (...values: number[]) => ({
  shape: [1, 1, 1, values.length],
  data: Float32Array.from(values),
});

Deno.test("setPsnrDb() is that of all numbers together, clamped to [-1, 1]", () => {
  near(setPsnrDb(images(0.5, -0.5), images(0.7, -0.3)), 20);
  near(setPsnrDb(images(0, 0), images(0.2, 0)), 10 * Math.log10(4 / 0.02));
  near(setPsnrDb(images(3, -9), images(1, -1)), 10 * Math.log10(4 / 1e-12));
});

Deno.test("openHeldOut() compares the teacher's images with the mean of others", async () => {
  const engine = await createEngine({ threads: 1 });
  try {
    const teacher = nonzero(tinyTeacher());
    const seeds = heldOutSeeds(16);
    const heldOut = await openHeldOut(openGenerator(teacher, engine));
    const own = await generateImages(teacher, { seeds }, { engine });
    assert.deepEqual(heldOut.teacherImages, own);
    const others = Array.from({ length: 256 }, (_, i) => 2_000_000 + i);
    assert.deepEqual(seeds.filter((seed) => others.includes(seed)), []);
    const { data } = await generateImages(teacher, { seeds: others }, { engine });
    const mean = new Float64Array(16 * 16 * 3);
    data.forEach((value, i) => mean[i % mean.length]! += value / others.length);
    const repeated = Float32Array.from(own.data, (_, i) => mean[i % mean.length]!);
    near(heldOut.meanImagePsnrDb, setPsnrDb({ shape: own.shape, data: repeated }, own));
    const student = createStudent(teacher, {}, { registry: createRegistry() });
    const measured = await measureHeldOut(student, heldOut, engine);
    assert.deepEqual(measured.images, await generateImages(student, { seeds }, { engine }));
    assert.equal(measured.psnrDb, setPsnrDb(measured.images, own));
  } finally {
    await engine.dispose();
  }
});
