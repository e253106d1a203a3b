import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { createRandom } from "../../core/random.ts";
import { initLinear, linear } from "../../layers/linear.ts";
import { assertNear, normal, numbers } from "../tensors.ts";

Deno.test("linear() divides by the root of the inputs and applies multiplier and gain", () => {
  const weight = normal<tf.Rank.R2>("weight", [4, 3]);
  const bias = normal<tf.Rank.R1>("bias", [3]);
  const x = normal<tf.Rank.R2>("x", [2, 4]);
  const expected = tf.mul(
    tf.add(tf.matMul(x, tf.mul(weight, 0.01 / 2)), tf.mul(bias, 0.01)),
    3,
  );
  assertNear(linear({ weight, bias }, x, { lrMultiplier: 0.01, gain: 3 }), expected);
});

Deno.test("initLinear() gives outputs of unit variance whatever the multiplier", () => {
  for (const lrMultiplier of [1, 0.01]) {
    const dims = { inputs: 256, outputs: 256, bias: 1 };
    const { weight, bias } = initLinear(dims, createRandom(1, "w"), { lrMultiplier });
    const params = {
      weight: tf.tensor(weight.data, [256, 256]),
      bias: tf.tensor(bias.data, [256]),
    };
    const y = linear(params, normal<tf.Rank.R2>("x", [64, 256]), { lrMultiplier });
    const [mean, variance] = [tf.moments(y).mean, tf.moments(y).variance];
    assert.ok(Math.abs(numbers(mean)[0]! - 1) < 0.05);
    assert.ok(Math.abs(numbers(variance)[0]! - 1) < 0.05);
  }
});
