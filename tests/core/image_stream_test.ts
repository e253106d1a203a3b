import assert from "node:assert/strict";
import { checkSameSize, collectBytes } from "../../core/image_stream.ts";

const flat = (count: number, side: number, value: number) => ({
  shape: [count, side, side, 3],
  data: new Float32Array(count * side * side * 3).fill(value),
});

Deno.test("collectBytes() joins batches of any sizes in order", async () => {
  const collected = await collectBytes([flat(1, 2, -1), flat(2, 2, 1)]);
  assert.deepEqual(collected, {
    count: 3,
    height: 2,
    width: 2,
    data: Uint8Array.from({ length: 36 }, (_, i) => i < 12 ? 0 : 255),
  });
});

Deno.test("collectBytes() reads generators", async () => {
  async function* batches() {
    yield await Promise.resolve(flat(1, 2, 0));
  }
  assert.deepEqual((await collectBytes(batches())).data, new Uint8Array(12).fill(128));
});

Deno.test("collectBytes() refuses no image, another shape and another size", async () => {
  await assert.rejects(collectBytes([]), {
    name: "RangeError",
    message: "Cannot measure images: expected some but received none",
  });
  await assert.rejects(collectBytes([{ shape: [2, 2, 3], data: new Float32Array(12) }]), {
    name: "RangeError",
    message: "Cannot measure images: expected images of shape [N,H,W,3] but received [2,2,3]",
  });
  await assert.rejects(collectBytes([flat(1, 2, 0), flat(1, 4, 0)]), {
    name: "RangeError",
    message: "Cannot compare images: expected 2 x 2 px but received 4 x 4 px",
  });
});

Deno.test("checkSameSize() accepts equal sizes", () => {
  checkSameSize({ height: 2, width: 3 }, { height: 2, width: 3 });
});
