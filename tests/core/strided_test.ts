import assert from "node:assert/strict";
import { gather, rowMajor } from "../../core/strided.ts";

const source = Float32Array.from({ length: 24 }, (_, i) => i);

Deno.test("rowMajor() counts the elements behind each axis", () => {
  assert.deepEqual(rowMajor([2, 3, 4]), [12, 4, 1]);
  assert.deepEqual(rowMajor([]), []);
  assert.deepEqual(rowMajor([5, 0, 2]), [2, 2, 1]); // as PyTorch
});

Deno.test("gather() reorders, repeats and skips elements", () => {
  assert.deepEqual([...gather(source, [2, 3, 4], [12, 4, 1])], [...source]);
  assert.deepEqual([...gather(source, [3, 2], [1, 3])], [0, 3, 1, 4, 2, 5]);
  assert.deepEqual([...gather(source, [2, 2, 2], [1, 12, 4])], [0, 4, 12, 16, 1, 5, 13, 17]);
  assert.deepEqual([...gather(source, [2, 3], [0, 0])], [0, 0, 0, 0, 0, 0]);
  assert.deepEqual([...gather(source, [], [])], [0]);
  assert.deepEqual([...gather(source, [0, 3], [3, 1])], []);
});
