import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import fc from "fast-check";
import { minibatchStddev } from "../../layers/minibatch_stddev.ts";
import { assertNear, normal } from "../tensors.ts";

/** The definition, image by image: the group of image i is every image of equal i mod m. */
function naive(x: tf.Tensor4D, groups: number): number[] {
  const images = tf.unstack(x).map((image) => [...image.dataSync()]);
  return images.map((_, i) => {
    const members = images.filter((_, j) => j % groups === i % groups);
    const deviations = images[0]!.map((_, k) => {
      const values = members.map((image) => image[k]!);
      const mean = values.reduce((sum, value) => sum + value) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      return Math.sqrt(variance + 1e-8);
    });
    return deviations.reduce((sum, value) => sum + value) / deviations.length;
  });
}

Deno.test("minibatchStddev() appends the deviation of each image's group", () => {
  fc.assert(
    fc.property(fc.constantFrom([1, 1], [2, 1], [4, 1], [8, 2], [12, 3]), ([n, groups]) => {
      const x = normal(`x${n}`, [n!, 2, 3, 5]);
      const statistic = tf.tensor(naive(x, groups!), [n!, 1, 1, 1]);
      const channel = tf.tile(statistic, [1, 2, 3, 1]);
      assertNear(minibatchStddev(x), tf.concat([x, channel], 3));
    }),
    { numRuns: 10 },
  );
});

Deno.test("minibatchStddev() names the batch that does not fit", () => {
  assert.throws(() => minibatchStddev(normal("x", [6, 2, 2, 1])), {
    name: "RangeError",
    message:
      "Cannot apply minibatchStddev(): expected a batch that is a multiple of 4 but received 6",
  });
});
