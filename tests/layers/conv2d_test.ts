import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { createRandom } from "../../core/random.ts";
import { equalisedConv, initEqualisedConv } from "../../layers/conv2d.ts";
import { assertNear, normal } from "../tensors.ts";

const x = normal("x", [2, 5, 5, 4]);
const weight = normal("weight", [3, 3, 4, 6]);
const bias = normal<tf.Rank.R1>("bias", [6]);
const leaky = (y: tf.Tensor) => tf.maximum(y, tf.mul(y, 0.2));

Deno.test("equalisedConv() is convolution, bias and leaky ReLU, times the gain", () => {
  const y = tf.add(tf.conv2d(x, tf.mul(weight, 1 / 6) as tf.Tensor4D, 1, "same"), bias);
  assertNear(equalisedConv({ weight, bias }, x, { gain: 3 }), tf.mul(leaky(y), 3));
});

Deno.test("equalisedConv() without bias is linear, with stride 2 unpadded", () => {
  const y = tf.conv2d(x, tf.mul(weight, 2 / 6) as tf.Tensor4D, 2, "valid");
  assertNear(equalisedConv({ weight }, x, { gain: 2, stride: 2 }), y);
});

Deno.test("initEqualisedConv() leaves the bias out when it is not wanted", () => {
  const dims = { size: 1, inChannels: 2, outChannels: 3 } as const;
  const random = createRandom(1, "w");
  assert.deepEqual(Object.keys(initEqualisedConv({ ...dims, bias: false }, random)), ["weight"]);
  assert.deepEqual(initEqualisedConv(dims, random)["bias"], {
    shape: [3],
    data: new Float32Array(3),
  });
});
