import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { initMapping, mapping, truncate } from "../../networks/mapping.ts";
import { assertGradient, assertNear, jittered, normal, numbers } from "../tensors.ts";

const config = { styleDim: 6, mappingLayers: 3 };
const params = jittered(initMapping(config, 1), 20);
const z = normal<tf.Rank.R2>("z", [4, 6]);

Deno.test("mapping() is the formula of StyleGAN, layer by layer", () => {
  let x: tf.Tensor = tf.div(z, tf.sqrt(tf.add(tf.mean(tf.square(z), 1, true), 1e-8)));
  for (let i = 0; i < 3; i++) {
    const weight = tf.mul(params[`${i}.weight`]!, 0.01 / Math.sqrt(6)) as tf.Tensor2D;
    const y = tf.add(tf.matMul(x as tf.Tensor2D, weight), tf.mul(params[`${i}.bias`]!, 0.01));
    x = tf.mul(tf.maximum(y, tf.mul(y, 0.2)), Math.SQRT2);
  }
  assertNear(mapping(params, z, config), x);
});

Deno.test("mapping() does not depend on the length of z", () => {
  assertNear(mapping(params, tf.mul(z, 7), config), mapping(params, z, config));
});

Deno.test("mapping() has a gradient in z", () => {
  const value = (z: tf.Tensor) => tf.sum(tf.square(mapping(params, z as tf.Tensor2D, config)));
  assertGradient(value, z);
});

Deno.test("initMapping() draws each layer from its own stream, and has a mean style", () => {
  const weights = initMapping(config, 1);
  assert.deepEqual(Object.keys(weights), [
    ...["0.weight", "0.bias", "1.weight", "1.bias", "2.weight", "2.bias"],
    "w_mean",
  ]);
  const deeper = initMapping({ ...config, mappingLayers: 4 }, 1);
  assert.deepEqual(deeper["2.weight"], weights["2.weight"]);
  assert.notDeepEqual(weights["0.weight"], weights["1.weight"]);
  assert.notDeepEqual(initMapping(config, 2)["0.weight"], weights["0.weight"]);
});

const mean = normal<tf.Rank.R1>("mean", [6]);

Deno.test("truncate() moves styles to the mean: all, none, half of the way", () => {
  const w = normal<tf.Rank.R2>("w", [3, 6]);
  assertNear(truncate(w, mean, { psi: 1 }), w);
  assertNear(truncate(w, mean, { psi: 0 }), tf.add(tf.zerosLike(w), mean));
  assertNear(truncate(w, mean, { psi: 0.5 }), tf.div(tf.add(w, mean), 2));
});

Deno.test("truncate() with a cutoff leaves the later rows of W+", () => {
  const w = normal<tf.Rank.R3>("plus", [2, 5, 6]);
  const moved = truncate(w, mean, { psi: 0.5, cutoff: 2 });
  assertNear(tf.slice(moved, [0, 2, 0]), tf.slice(w, [0, 2, 0]));
  assertNear(
    tf.slice(moved, [0, 0, 0], [2, 2, 6]),
    tf.slice(truncate(w, mean, { psi: 0.5 }), [0, 0, 0], [2, 2, 6]),
  );
  assert.deepEqual(numbers(truncate(w, mean, { psi: 0.5, cutoff: 0 })), numbers(w));
});

Deno.test("truncate() names a cutoff that W+ does not have", () => {
  const w = normal<tf.Rank.R3>("plus", [2, 5, 6]);
  assert.throws(() => truncate(w, mean, { psi: 0.5, cutoff: 6 }), {
    name: "RangeError",
    message:
      'Cannot truncate styles: expected "cutoff" to be an integer from 0 to 5 but received 6',
  });
});
