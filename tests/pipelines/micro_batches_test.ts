import assert from "node:assert/strict";
import { createRandom } from "../../core/random.ts";
import { drawLatents } from "../../pipelines/latents.ts";
import {
  accumulationNotes,
  microBatchRows,
  randomOfRows,
  takeLatents,
} from "../../pipelines/micro_batches.ts";

Deno.test("microBatchRows() keeps the groups of the minibatch deviation whole", () => {
  // Image i of 8 is in group i mod 2 when groups have 4.
  const rows = microBatchRows({ batch: 8, accumulate: 2, group: 4 });
  assert.deepEqual(rows, [[0, 2, 4, 6], [1, 3, 5, 7]]);
  // Of 16 in groups of 4 it is i mod 4; among its 8, a micro-batch groups by i mod 2.
  assert.deepEqual(microBatchRows({ batch: 16, accumulate: 2, group: 4 })[1], [
    2,
    3,
    6,
    7,
    10,
    11,
    14,
    15,
  ]);
});

Deno.test("microBatchRows() gives every image once, also where groups are cut", () => {
  for (const accumulate of [1, 2, 4, 8]) {
    for (const group of [1, 4, 16]) {
      const rows = microBatchRows({ batch: 8, accumulate, group });
      assert.equal(rows.length, accumulate);
      assert.deepEqual(rows.flat().sort((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7]);
    }
  }
});

Deno.test("microBatchRows() refuses micro-batches that hold a part of a group too many", () => {
  assert.throws(() => microBatchRows({ batch: 12, accumulate: 2, group: 4 }), {
    name: "RangeError",
    message:
      'Cannot accumulate 2 micro-batches: expected a multiple of 4 images, the group of the discriminator\'s minibatch deviation, in each but received 6; change "batch" or "accumulate"',
  });
});

Deno.test("accumulationNotes() says what a run does, and what differs", () => {
  assert.deepEqual(accumulationNotes({ batch: 8, accumulate: 1, group: 4 }), []);
  assert.deepEqual(accumulationNotes({ batch: 8, accumulate: 2, group: 4 }), [
    "adds the gradients of 2 micro-batches of 4 images",
  ]);
  assert.deepEqual(accumulationNotes({ batch: 8, accumulate: 4, group: 4 }), [
    "adds the gradients of 4 micro-batches of 2 images; the minibatch deviation is that of 2 images instead of 4",
  ]);
});

Deno.test("takeLatents() takes the second styles and the masks of the same images", () => {
  const all = drawLatents({ seed: 1, batch: 4, styleDim: 2, layers: 3, styleMixing: 1 }, 0);
  const { z, mix } = takeLatents(all, [3, 1]);
  const row = (data: Float32Array, i: number, size: number) => [
    ...data.subarray(i * size, (i + 1) * size),
  ];
  assert.deepEqual(z.shape, [4, 2]);
  assert.deepEqual([...z.data], [3, 1, 7, 5].flatMap((i) => row(all.z.data, i, 2)));
  assert.deepEqual(mix[0]!.shape, [2, 3, 1]);
  assert.deepEqual([...mix[0]!.data], [3, 1].flatMap((i) => row(all.mix[0]!.data, i, 3)));
});

Deno.test("randomOfRows() draws the batch's own numbers", () => {
  const whole = createRandom(1, "step");
  const [images, shared, more] = [
    whole.normal([4, 3]),
    whole.uniform([5], 0, 1),
    whole.normal([4]),
  ];
  const part = randomOfRows(createRandom(1, "step"), [1, 3], 4);
  const drawn = [part.normal([2, 3]), part.uniform([5], 0, 1), part.normal([2])];
  assert.deepEqual([...drawn[0]!.data], [
    ...images.data.subarray(3, 6),
    ...images.data.subarray(9, 12),
  ]);
  assert.deepEqual(drawn[1], shared);
  assert.deepEqual([...drawn[2]!.data], [more.data[1], more.data[3]]);
});
