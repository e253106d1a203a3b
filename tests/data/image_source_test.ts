import assert from "node:assert/strict";
import { createImageSource } from "../../data/image_source.ts";

const source = createImageSource({
  name: "three flat images",
  sizePx: 4,
  length: 3,
  load: (indices) => Promise.resolve(indices.map((i) => new Uint8Array(48).fill(i * 127.5))),
});

Deno.test("createImageSource() gives batches in [-1, 1], in the order of the indices", async () => {
  const { shape, data } = await source.batch([2, 0, 2]);
  assert.deepEqual(shape, [3, 4, 4, 3]);
  assert.deepEqual([data[0], data[47], data[48], data[95], data[96]], [1, 1, -1, -1, 1]);
});

Deno.test("createImageSource() gives an empty batch for no index", async () => {
  assert.deepEqual(await source.batch([]), { shape: [0, 4, 4, 3], data: new Float32Array(0) });
});

for (const index of [-1, 3, 0.5, NaN]) {
  Deno.test(`createImageSource() refuses the index ${index}`, () => {
    const expected = {
      name: "RangeError",
      message: 'Cannot read an image of "three flat images": expected an index from 0 to 2 ' +
        `but received ${index}`,
    };
    return assert.rejects(source.batch([0, index]), expected);
  });
}
