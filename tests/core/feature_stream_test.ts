import assert from "node:assert/strict";
import { collectFeatures, rowProducts, rowsOf } from "../../core/feature_stream.ts";

const array = (shape: readonly number[], ...data: number[]) => ({
  shape,
  data: Float32Array.from(data),
});

Deno.test("collectFeatures() joins batches in their order", async () => {
  const batches = [array([2, 2], 1, 2, 3, 4), array([1, 2], 5, 6)];
  assert.deepEqual(await collectFeatures(batches), array([3, 2], 1, 2, 3, 4, 5, 6));
});

Deno.test("collectFeatures() refuses rows of two lengths and an empty stream", async () => {
  await assert.rejects(collectFeatures([array([1, 2], 1, 2), array([1, 3], 1, 2, 3)]), {
    name: "RangeError",
    message: "Cannot measure features: expected features of shape [N,2] but received [1,3]",
  });
  await assert.rejects(collectFeatures([array([1, 1, 2], 1, 2)]), {
    name: "RangeError",
    message: "Cannot measure features: expected features of shape [N,D] but received [1,1,2]",
  });
  await assert.rejects(collectFeatures([]), {
    name: "RangeError",
    message: "Cannot measure features: expected some but received none",
  });
});

Deno.test("rowsOf() is a view of some rows", () => {
  const all = array([3, 2], 1, 2, 3, 4, 5, 6);
  const some = rowsOf(all, 1, 3);
  assert.deepEqual(some, array([2, 2], 3, 4, 5, 6));
  assert.equal(some.data.buffer, all.data.buffer);
});

Deno.test("rowProducts() multiplies every row with every row", async () => {
  const products = await rowProducts(array([2, 2], 1, 2, 3, 4), array([1, 2], 10, 1));
  assert.deepEqual(products, array([2, 1], 12, 34));
});
