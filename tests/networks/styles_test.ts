import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { studentStylesOf, stylesOf } from "../../networks/styles.ts";
import { assertNear, normal, numbers } from "../tensors.ts";

Deno.test("stylesOf() gives one w to all layers, and rows of W+ in order", () => {
  const w = normal<tf.Rank.R2>("w", [2, 3]);
  assert.deepEqual(stylesOf(w, [4]), [w, w, w, w]);
  const plus = normal<tf.Rank.R3>("plus", [2, 5, 3]);
  const styles = stylesOf(plus, [4, 5]);
  assert.equal(styles.length, 4);
  assertNear(styles[3]!, tf.gather(plus, 3, 1));
  assert.notDeepEqual(numbers(styles[0]!), numbers(styles[1]!));
});

Deno.test("stylesOf() names the shapes that it accepts", () => {
  assert.throws(() => stylesOf(normal("w", [2, 6, 3]), [4, 5]), {
    name: "RangeError",
    message: "Cannot read styles: expected w of shape [N,D] or [N,4 or 5,D] but received [2,6,3]",
  });
});

Deno.test("studentStylesOf() gives every layer of the student its teacher's row", () => {
  const plus = normal<tf.Rank.R3>("plus", [2, 8, 3]); // a teacher of 32 px
  const rows = [0, 1, 2, 3, 3, 4, 5]; // conv and head at 4 px; then up and conv1, conv2, head
  assertNear(studentStylesOf(plus, 32), tf.gather(plus, rows, 1));
  const w = normal<tf.Rank.R2>("w", [2, 3]);
  assert.equal(studentStylesOf(w, 32), w);
});
