import assert from "node:assert/strict";
import { toBytes } from "../../core/pixels.ts";
import { createImageSource } from "../../data/image_source.ts";
import { readReal } from "../../pipelines/real_batches.ts";
import { parseTeacherConfig } from "../../pipelines/train_teacher_config.ts";
import { createRegistry } from "../../registry.ts";
import { tinyTraining } from "./tiny.ts";

/** Image i: its pixels are numbered from 16 i, which shows which way round it is. */
const pixels = (index: number) =>
  Uint8Array.from({ length: 4 * 4 * 3 }, (_, k) => 16 * index + Math.floor(k / 3));
const source = createImageSource({
  name: "numbers",
  sizePx: 4,
  length: 8,
  load: (indices) => Promise.resolve(indices.map(pixels)),
});
const config = (flips: boolean) => ({
  ...parseTeacherConfig(tinyTraining, createRegistry()),
  batch: 16,
  dataImages: 5,
  flips,
});

/** The images of a step, each as its pixels' numbers. */
async function imagesOf(flips: boolean, step: number): Promise<number[][]> {
  const { shape, data } = await readReal(source, config(flips), step);
  assert.deepEqual(shape, [16, 4, 4, 3]);
  const bytes = toBytes(data);
  return Array.from(
    { length: 16 },
    (_, i) => Array.from({ length: 16 }, (_, k) => bytes[(16 * i + k) * 3]!),
  );
}

Deno.test("readReal() draws whole images, the same for the same step, from the first ones only", async () => {
  const images = await imagesOf(false, 3);
  const drawn = images.map((image) => image[0]! / 16);
  assert.ok(new Set(drawn).size > 2 && Math.max(...drawn) === 4, `${drawn}`);
  images.forEach((image, i) => assert.deepEqual(image, image.map((_, k) => 16 * drawn[i]! + k)));
  assert.deepEqual(await imagesOf(false, 3), images);
  assert.notDeepEqual(await imagesOf(false, 4), images);
});

Deno.test("readReal() with flips mirrors some of the same images from left to right", async () => {
  const [plain, flipped] = [await imagesOf(false, 0), await imagesOf(true, 0)];
  const mirrored = (image: number[]) =>
    [0, 4, 8, 12].flatMap((row) => image.slice(row, row + 4).reverse());
  const isFlipped = flipped.map((image, i) => {
    const turned = image[0] !== plain[i]![0];
    assert.deepEqual(image, turned ? mirrored(plain[i]!) : plain[i]);
    return turned;
  });
  assert.ok(isFlipped.includes(true) && isFlipped.includes(false));
});
