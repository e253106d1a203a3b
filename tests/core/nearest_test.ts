import assert from "node:assert/strict";
import { didYouMean, nearest } from "../../core/nearest.ts";

Deno.test("nearest() finds the misspelt name, also behind a slash", () => {
  const known = ["pixel", "wavelet", "acme/charbonnier"];
  assert.equal(nearest("pixle", known), "pixel");
  assert.equal(nearest("WAVELET", known), "wavelet");
  assert.equal(nearest("charbonier", known), "acme/charbonnier");
  assert.equal(nearest("acme/charbonier", known), "acme/charbonnier");
});

Deno.test("nearest() finds nothing when nothing is near", () => {
  assert.equal(nearest("adversarial", ["pixel", "r1"]), undefined);
  assert.equal(nearest("x", []), undefined);
});

Deno.test("didYouMean() ends an error", () => {
  assert.equal(didYouMean("pixle", ["pixel"]), '; did you mean "pixel"?');
  assert.equal(didYouMean("adversarial", ["pixel"]), "");
});
