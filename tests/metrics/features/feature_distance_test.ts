import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { featureDistance } from "../../../metrics/features/feature_distance.ts";
import { normal, numbers } from "../../tensors.ts";
import { assertNumber, features, reference } from "../reference.ts";

const maps = (salt: number) => tf.tensor4d(features(18, 6, salt).data, [2, 3, 3, 6]);

Deno.test("featureDistance() agrees with NumPy", () => {
  const distances = numbers(featureDistance([maps(7)], [maps(3)]));
  distances.forEach((value, i) => assertNumber(value, reference.feature_distance[i]!, 1e-5));
  assert.equal(distances.length, 2);
});

Deno.test("featureDistance() sums over the maps and ignores how strong they are", () => {
  const [once] = numbers(featureDistance([maps(7)], [maps(3)]));
  const scaled = [maps(7), tf.mul(maps(7), 5) as tf.Tensor4D];
  const [twice] = numbers(featureDistance(scaled, [maps(3), maps(3)]));
  assertNumber(twice, 2 * once!, 1e-5);
});

Deno.test("featureDistance() of equal maps is 0, without features as well", () => {
  const x = normal("x", [2, 4, 4, 3]);
  const silent = tf.zeros([2, 4, 4, 3]) as tf.Tensor4D;
  assert.deepEqual(numbers(featureDistance([x, silent], [x, silent])), [0, 0]);
});

Deno.test("featureDistance() is quadratic in small differences", () => {
  const [x, step] = [normal("x", [1, 4, 4, 3]), normal("step", [1, 4, 4, 3])];
  const at = (size: number) =>
    numbers(featureDistance([x], [tf.add(x, tf.mul(step, size)) as tf.Tensor4D]))[0]!;
  assertNumber(at(2e-3), 4 * at(1e-3), 0.02);
});
