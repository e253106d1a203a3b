import assert from "node:assert/strict";
import { countOperations, countOuterBytes } from "../../bench/flops.ts";
import type { Op, Program } from "../../engine/program.ts";

const op = (kernel: string, inputs: number[], outputs: number[], attributes = {}): Op => ({
  kernel,
  inputs,
  outputs,
  attributes,
});

/** x [1,4,4,1] -> Haar [1,2,2,4] -> its square -> the inverse [1,4,4,1]. */
const transforms: Program = {
  name: "transforms",
  values: [[1, 4, 4, 1], [1, 2, 2, 4], [1, 2, 2, 4], [1, 4, 4, 1]]
    .map((shape) => ({ shape, dtype: "float32" })),
  ops: [op("Haar", [0], [1]), op("Square", [1], [2]), op("InverseHaar", [2], [3])],
  inputs: [0],
  outputs: [3],
  draws: [],
};

/** x [1,4,4,2] and w [3,3,2,5] -> [1,4,4,5], and the gradient of w. */
const convolution: Program = {
  name: "convolution",
  values: [[1, 4, 4, 2], [3, 3, 2, 5], [1, 4, 4, 5], [3, 3, 2, 5]]
    .map((shape) => ({ shape, dtype: "float32" })),
  ops: [
    op("Conv2D", [0, 1], [2]),
    op("Conv2DBackpropFilter", [0, 2], [3], { filterShape: [3, 3, 2, 5] }),
  ],
  inputs: [0, 1],
  outputs: [3],
  draws: [],
};

Deno.test("countOperations() counts operands and results once for each that is not merged", () => {
  const transform = { flops: 0, bytes: 4 * (16 + 16) };
  assert.deepEqual(countOperations(transforms), [transform, transform]);
  const flops = 2 * 16 * 9 * 2 * 5;
  const bytes = 4 * (32 + 90 + 80);
  assert.deepEqual(countOperations(convolution), [{ flops, bytes }, { flops, bytes }]);
});

Deno.test("countOuterBytes() counts no value between transforms", () => {
  assert.equal(countOuterBytes(transforms), 4 * (16 + 16));
  assert.equal(countOuterBytes(convolution), 2 * 4 * (32 + 90 + 80));
});
