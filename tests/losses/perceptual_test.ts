import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { perceptualLoss } from "../../losses/perceptual.ts";
import { normal, numbers } from "../tensors.ts";
import { scaleOf, stepOf } from "./step.ts";

const [a, b] = [normal("a", [2, 4, 4, 3]), normal("b", [2, 4, 4, 3])];
const coarse = scaleOf(normal("c", [2, 2, 2, 3]), normal("d", [2, 2, 2, 3]));
const features = (
  image: tf.Tensor4D,
): tf.Tensor4D[] => [image, tf.mul(tf.avgPool(image, 2, 2, "valid"), 10)];
const step = stepOf({ scales: [coarse, scaleOf(a, b)], features });

Deno.test("perceptualLoss sums the mean differences of the final image's maps", () => {
  const pooled = (x: tf.Tensor4D) => features(x)[1]!;
  const l1 = tf.add(
    tf.mean(tf.abs(tf.sub(a, b))),
    tf.mean(tf.abs(tf.sub(pooled(a), pooled(b)))),
  );
  const l2 = tf.add(
    tf.mean(tf.squaredDifference(a, b)),
    tf.mean(tf.squaredDifference(pooled(a), pooled(b))),
  );
  for (const [norm, expected] of [["l1", l1], ["l2", l2]] as const) {
    const [value] = numbers(perceptualLoss.student!(step, { norm })) as [number];
    const [known] = numbers(expected) as [number];
    assert.ok(Math.abs(value - known) < 1e-5 * known, norm);
  }
});

Deno.test("perceptualLoss asks for a feature network, and defaults to the author's norm", () => {
  assert.deepEqual(perceptualLoss.needs, { features: true });
  assert.deepEqual(perceptualLoss.options.parse({}), { norm: "l1" });
});
