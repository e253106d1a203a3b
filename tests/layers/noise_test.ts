import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { noiseAndBias } from "../../layers/noise.ts";
import { assertNear, normal } from "../tensors.ts";

const bias = normal<tf.Rank.R1>("bias", [3]);
const strength = tf.tensor1d([0.5]);

Deno.test("noiseAndBias() adds scaled noise to the bias, and stays small for shared noise", () => {
  const noise = normal("noise", [1, 4, 4, 1]);
  const expected = tf.mul(tf.add(tf.mul(tf.tile(noise, [1, 1, 1, 3]), 0.5), bias), 2);
  assertNear(noiseAndBias({ bias, strength, noise }, 2), expected);
});

Deno.test("noiseAndBias() takes one map per image", () => {
  const noise = normal("noise", [2, 4, 4, 1]);
  assert.deepEqual(noiseAndBias({ bias, strength, noise }).shape, [2, 4, 4, 3]);
});

Deno.test("noiseAndBias() without noise is the bias", () => {
  assertNear(noiseAndBias({ bias, strength }, 2), tf.mul(bias, 2));
});
