import assert from "node:assert/strict";
import { fromBytes, toBytes } from "../../core/pixels.ts";

Deno.test("toBytes() truncates 127.5 x + 128 and clamps", () => {
  // By hand: 0.5, 0.99, 128, 128.1, 255.5 (clamped to 255), and values outside.
  const values = Float32Array.of(-1, -0.9962, 0, 0.001, 1, -3, 7, Infinity, -Infinity);
  assert.deepEqual([...toBytes(values)], [0, 0, 128, 128, 255, 0, 255, 255, 0]);
});

Deno.test("fromBytes() then toBytes() keeps all 256 bytes", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  const values = fromBytes(bytes);
  assert.equal(values[0], -1);
  assert.equal(values[255], 1);
  assert.deepEqual(toBytes(values), bytes);
});

Deno.test("toBytes() refuses what is not a number", () => {
  assert.throws(() => toBytes(Float32Array.of(0, NaN)), {
    name: "RangeError",
    message: "Cannot convert an image to bytes: expected numbers but received NaN at position 1",
  });
});
