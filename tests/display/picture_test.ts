import assert from "node:assert/strict";
import { columnsFor, gridOf, liveGridOf } from "../../display/picture.ts";
import { decodeImage } from "../../io/png.ts";

Deno.test("columnsFor() fills rows and makes grids wider than high", () => {
  assert.deepEqual([1, 2, 3, 4, 8, 12, 16, 32, 64].map(columnsFor), [1, 2, 3, 4, 8, 6, 8, 8, 16]);
  assert.equal(columnsFor(13), 6); // no divisor is near: the last row has a gap
});

const imagesOf = (shape: readonly number[], value: (i: number) => number) => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i)),
});

Deno.test("gridOf() reduces what would be huge by the mean of squares", async () => {
  // Columns of pixels are white and black in turn: their mean is grey.
  const images = imagesOf([4, 64, 1024, 3], (i) => Math.floor(i / 3) % 2 ? 1 : -1);
  const { shape, data } = await decodeImage(await gridOf(images, { columns: 4, gapPx: 0 }));
  assert.deepEqual(shape, [32, 2048, 3]);
  assert.ok(data.every((value) => Math.abs(value) < 0.01));
});

Deno.test("liveGridOf() draws the first rows, small", async () => {
  const images = imagesOf([24, 256, 256, 3], (i) => i < 12 * 256 * 256 * 3 ? 1 : -1);
  const labels = ["a", "b", "c", "d", "e", "f", "g", "h"];
  const { shape } = await decodeImage(await liveGridOf(images, { columns: 3, labels }));
  assert.equal(shape[0], 4 * 128 + 3 * 2);
  assert.ok(shape[1]! > 3 * 128 && shape[1]! < 3 * 128 + 40);
});
