import assert from "node:assert/strict";
import { prefixed, under, weightOf } from "../../core/params.ts";

Deno.test("under() takes whole segments only", () => {
  assert.deepEqual(under({ "4.a": 1, "4.b.c": 2, "40.a": 3, "4": 4 }, "4"), { a: 1, "b.c": 2 });
});

Deno.test("prefixed() undoes under()", () => {
  const record = { "4.a": 1, "4.b.c": 2 };
  assert.deepEqual(prefixed(under(record, "4"), "4"), record);
});

Deno.test("weightOf() names the missing weight and what there is", () => {
  assert.throws(() => weightOf({ bias: 1, gain: 2 }, "weight"), {
    name: "RangeError",
    message:
      'Cannot find weight "weight": expected it in the record but received only "bias", "gain"',
  });
  assert.throws(() => weightOf({}, "weight"), {
    message:
      'Cannot find weight "weight": expected it in the record but received only an empty one',
  });
});
