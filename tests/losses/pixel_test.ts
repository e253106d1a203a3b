import assert from "node:assert/strict";
import { pixelLoss } from "../../losses/pixel.ts";
import { golden } from "../golden.ts";
import { assertGradient, normal, numbers } from "../tensors.ts";
import { goldenScales, scaleOf, stepOf } from "./step.ts";

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) <= 1e-5 * Math.abs(expected), `${actual} ${expected}`);

Deno.test("pixelLoss sums the author's means over the scales", () => {
  const step = stepOf({ scales: goldenScales() });
  const rows = [...golden("loss/per_head").data];
  const sum = (column: number) => rows.reduce((sum, x, i) => sum + (i % 4 === column ? x : 0), 0);
  near(numbers(pixelLoss.student!(step, { l1: 1, l2: 0 }))[0]!, sum(0));
  near(numbers(pixelLoss.student!(step, { l1: 0, l2: 1 }))[0]!, sum(1));
  near(numbers(pixelLoss.student!(step, { l1: 2, l2: 3 }))[0]!, 2 * sum(0) + 3 * sum(1));
});

Deno.test("pixelLoss has the author's weights as defaults, and may weigh nothing", () => {
  const options = pixelLoss.options.parse({});
  assert.deepEqual(options, { l1: 1, l2: 1 });
  const scales = [scaleOf(normal("a", [1, 4, 4, 3]), normal("b", [1, 4, 4, 3]))];
  assert.deepEqual(numbers(pixelLoss.student!(stepOf({ scales }), { l1: 0, l2: 0 })), [0]);
});

Deno.test("pixelLoss has a gradient", () => {
  const teacher = normal("b", [2, 4, 4, 3]);
  assertGradient(
    (x) =>
      pixelLoss.student!(stepOf({ scales: [scaleOf(x as typeof teacher, teacher)] }), {
        l1: 1,
        l2: 1,
      }),
    normal("a", [2, 4, 4, 3]),
  );
});
