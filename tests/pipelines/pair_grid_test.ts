import assert from "node:assert/strict";
import { pairGrid } from "../../pipelines/pair_grid.ts";

/** As many images as are held out, each one number. */
const images = (count: number, sizePx: number, sign: number) => ({
  shape: [count, sizePx, sizePx, 1],
  data: Float32Array.from(
    { length: count * sizePx ** 2 },
    (_, i) => sign * (1 + Math.floor(i / sizePx ** 2)),
  ),
});

Deno.test("pairGrid() puts each row of the teacher above the student's of the same latents", () => {
  const grid = pairGrid(images(64, 4, 1), images(64, 4, -1));
  assert.deepEqual([grid.columns, grid.images.shape], [8, [64, 4, 4, 1]]);
  assert.deepEqual(grid.labels.slice(0, 3), ["teacher", "student", "teacher"]);
  const numbers = Array.from({ length: 64 }, (_, i) => grid.images.data[i * 16]!);
  assert.deepEqual(numbers.slice(0, 9), [1, 2, 3, 4, 5, 6, 7, 8, -1]);
  assert.deepEqual(numbers.slice(15, 18), [-8, 9, 10]);
});

Deno.test("pairGrid() shows fewer pairs the larger they are", () => {
  for (const [sizePx, columns, rows] of [[256, 8, 8], [512, 4, 4], [1024, 2, 2]] as const) {
    const grid = pairGrid(images(32, sizePx, 1), images(32, sizePx, -1));
    assert.deepEqual([grid.columns, grid.labels.length], [columns, rows]);
    assert.equal(grid.images.shape[0], columns * rows);
  }
});
