import assert from "node:assert/strict";
import { durationText } from "../../core/duration.ts";

Deno.test("durationText() names the two largest units", () => {
  const said: Readonly<Record<number, string>> = {
    0: "0 s",
    0.4: "0 s",
    20: "20 s",
    59.4: "59 s",
    59.5: "1 min 0 s",
    80: "1 min 20 s",
    3599.4: "59 min 59 s",
    3599.5: "1 h 0 min",
    7384.6: "2 h 3 min",
    90_061: "25 h 1 min",
  };
  for (const [seconds, text] of Object.entries(said)) {
    assert.equal(durationText(Number(seconds)), text, seconds);
  }
});

Deno.test("durationText() says nothing of what lies in the past", () => {
  assert.equal(durationText(-3), "0 s");
});
