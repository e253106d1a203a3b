import assert from "node:assert/strict";
import { columnsFor } from "../../display/picture.ts";

Deno.test("columnsFor() fills rows and makes grids wider than high", () => {
  assert.deepEqual([1, 2, 3, 4, 8, 12, 16, 32, 64].map(columnsFor), [1, 2, 3, 4, 8, 6, 8, 8, 16]);
  assert.equal(columnsFor(13), 6); // no divisor is near: the last row has a gap
});
