import assert from "node:assert/strict";
import { createRandom } from "../../core/random.ts";
import type { AnyLoss } from "../../core/contracts.ts";
import { pathLengthLoss } from "../../losses/path_length.ts";
import { pixelLoss } from "../../losses/pixel.ts";
import { drawLatents } from "../../pipelines/latents.ts";
import {
  accumulationNotes,
  imageLanes,
  inLanes,
  microBatchRows,
  randomOfRows,
  splitOf,
  splits,
  takeLatents,
} from "../../pipelines/micro_batches.ts";
import type { Term } from "../../pipelines/objective.ts";

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
  const notes = (accumulate: number) =>
    accumulationNotes({ batch: 8, accumulate, group: 4, lanes: 1, asked: true });
  assert.deepEqual(notes(1), []);
  assert.deepEqual(notes(2), [
    "adds the gradients of 2 micro-batches of 4 images",
  ]);
  assert.deepEqual(notes(4), [
    "adds the gradients of 4 micro-batches of 2 images; the minibatch deviation is that of 2 images instead of 4",
  ]);
});

Deno.test("accumulationNotes() says what is computed side by side", () => {
  const notes = (accumulate: number, lanes: number) =>
    accumulationNotes({ batch: 8, accumulate, group: 1, lanes, asked: false });
  assert.deepEqual(notes(1, 1), []);
  assert.deepEqual(notes(2, 2), ["computes 2 parts of 4 images side by side"]);
  assert.deepEqual(notes(4, 2), ["computes 4 parts of 2 images, 2 at a time"]);
  assert.deepEqual(notes(4, 1), ["computes 4 parts of 2 images one after the other"]);
  assert.deepEqual(notes(8, 2), ["computes images 2 at a time"]);
  assert.deepEqual(notes(8, 1), ["computes images one by one"]);
});

Deno.test("splitOf() takes the most lanes that keep groups whole, of small batches only", () => {
  const lanes = (lanes: number, batch: number, group: number, sizePx: number) => {
    const engine = { lanes, largeBatches: "images" } as const;
    const split = splitOf(engine, { batch, accumulate: 1, group, sizePx });
    assert.equal(split.accumulate, split.lanes);
    return split.lanes;
  };
  assert.equal(lanes(1, 16, 4, 64), 1);
  assert.equal(lanes(2, 16, 4, 64), 2);
  assert.equal(lanes(8, 16, 4, 64), 4);
  assert.equal(lanes(8, 32, 1, 32), 8);
  assert.equal(lanes(8, 16, 1, 64), 4); // of 4 images each
  assert.equal(lanes(6, 16, 4, 64), 2); // with 3 threads each
  assert.equal(lanes(3, 16, 4, 64), 1);
  assert.equal(lanes(2, 4, 1, 64), 1);
  assert.equal(lanes(2, 6, 4, 64), 1); // one group of 6
  assert.equal(lanes(2, 16, 4, 128), 1);
});

Deno.test("splitOf() takes large images one by one, where that changes nothing", () => {
  const split = (
    lanes: number,
    batch: number,
    group: number,
    sizePx: number,
    largeBatches: "whole" | "images" = "images",
  ) => {
    const made = splitOf({ lanes, largeBatches }, { batch, accumulate: 1, group, sizePx });
    return [made.accumulate, made.lanes, made.asked];
  };
  assert.deepEqual(split(2, 4, 1, 256), [4, 2, false]);
  assert.deepEqual(split(8, 4, 1, 256), [4, 2, false]); // no more than half of them at once
  assert.deepEqual(split(8, 3, 1, 256), [3, 1, false]);
  assert.deepEqual(split(2, 4, 1, 512), [4, 1, false]);
  assert.deepEqual(split(2, 1, 1, 512), [1, 1, false]);
  assert.deepEqual(split(2, 8, 4, 256), [1, 1, false]); // groups of 4
  assert.deepEqual(split(1, 4, 1, 256), [4, 1, false]);
  assert.deepEqual(split(2, 4, 1, 256, "whole"), [1, 1, false]); // an engine that is not faster so
  assert.deepEqual(split(2, 8, 1, 128), [2, 2, false]); // not large
});

Deno.test("splitOf() takes a large batch in parts, where that changes nothing", () => {
  const split = (lanes: number, batch: number, group: number, sizePx: number) => {
    const engine = { lanes, largeBatches: "parts" } as const;
    const made = splitOf(engine, { batch, accumulate: 1, group, sizePx });
    return [made.accumulate, made.lanes, made.asked];
  };
  assert.deepEqual(split(2, 16, 4, 64), [2, 2, false]);
  assert.deepEqual(split(2, 64, 4, 64), [4, 2, false]); // of 16 images
  assert.deepEqual(split(2, 16, 4, 128), [4, 2, false]);
  assert.deepEqual(split(1, 16, 4, 128), [4, 1, false]);
  assert.deepEqual(split(2, 24, 4, 128), [6, 2, false]); // groups of 4 stay whole
  assert.deepEqual(split(2, 4, 1, 256), [4, 2, false]);
  assert.deepEqual(split(8, 8, 1, 256), [8, 4, false]); // two images for a graph at least
  assert.deepEqual(split(2, 8, 4, 256), [1, 1, false]); // a group is too large
  assert.deepEqual(split(2, 4, 1, 512), [4, 1, false]);
  assert.deepEqual(split(2, 7, 1, 256), [7, 1, false]);
});

Deno.test("splitOf() computes one after the other what is accumulated", () => {
  const split = splitOf({ lanes: 2, largeBatches: "images" }, {
    batch: 16,
    accumulate: 4,
    group: 4,
    sizePx: 64,
  });
  assert.deepEqual(split, { batch: 16, accumulate: 4, group: 4, lanes: 1, asked: true });
});

Deno.test("splits() keeps a batch whole for a term that looks across images", () => {
  const term = (loss: AnyLoss) => ({ loss }) as unknown as Term;
  const [alone, across] = [term(pixelLoss), term(pathLengthLoss)];
  const split = (accumulate: number, asked: boolean) => ({
    batch: 8,
    accumulate,
    group: 1,
    lanes: 1,
    asked,
  });
  assert.ok(splits(split(2, false), [alone]));
  assert.ok(!splits(split(2, false), [alone, across]));
  assert.ok(splits(split(2, true), [alone, across]));
  assert.ok(!splits(split(1, false), [alone]));
});

Deno.test("imageLanes() draws small images side by side, four at least in each lane", () => {
  const lanes = (engineLanes: number, images: number, sizePx: number) =>
    imageLanes({ lanes: engineLanes }, images, sizePx);
  assert.equal(lanes(2, 16, 64), 2);
  assert.equal(lanes(2, 32, 64), 2);
  assert.equal(lanes(2, 33, 64), 1); // too many pixels
  assert.equal(lanes(2, 15, 64), 1);
  assert.equal(lanes(2, 16, 128), 1);
  assert.equal(lanes(2, 8, 128), 2);
  assert.equal(lanes(2, 6, 64), 1);
  assert.equal(lanes(8, 16, 64), 4);
  assert.equal(lanes(1, 16, 64), 1);
});

Deno.test("inLanes() computes all lanes at once, and each micro-batch in one of them", async () => {
  const split = { batch: 8, accumulate: 4, group: 1, lanes: 2, asked: false };
  let [underWay, most] = [0, 0];
  const lanes = await inLanes(split, async (parts) => {
    most = Math.max(most, ++underWay);
    await Promise.resolve();
    underWay--;
    return parts;
  });
  assert.equal(most, 2);
  assert.deepEqual(lanes, [[[0, 1], [2, 3]], [[4, 5], [6, 7]]]);
});

Deno.test("inLanes() fails when no lane is at work any more", async () => {
  const split = { batch: 2, accumulate: 2, group: 1, lanes: 2, asked: false };
  let done = false;
  const failing = inLanes(split, async ([rows]) => {
    if (rows![0] === 0) throw new Error("lost");
    await new Promise((resolve) => setTimeout(resolve, 5));
    done = true;
  });
  await assert.rejects(failing, { message: "lost" });
  assert.ok(done);
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
