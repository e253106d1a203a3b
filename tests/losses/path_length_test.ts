import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { pathLengthLoss, pathLengths } from "../../losses/path_length.ts";
import { noiseShapes } from "../../networks/config.ts";
import { initSynthesis, synthesis } from "../../networks/synthesis.ts";
import { assertGradient, assertNear, jittered, normal, numbers } from "../tensors.ts";
import { fixedRandom, scaleOf, stepOf } from "./step.ts";

const config = { sizePx: 16, styleDim: 6, mappingLayers: 2, channels: [8, 6, 4] };
const params = jittered(initSynthesis(config, 1));
const noise = noiseShapes(16).map((shape, i) => normal(`noise${i}`, shape));
const w = normal<tf.Rank.R2>("w3", [2, 6]);
const image = synthesis(params, { w, noise }, config);

Deno.test("pathLengths() of a linear generator are those of its matrix", () => {
  const matrix = normal<tf.Rank.R2>("matrix", [6, 12]);
  const linear = (w: tf.Tensor) => tf.reshape(tf.matMul(w as tf.Tensor2D, matrix), [2, 2, 2, 3]);
  const y = normal("y", [2, 2, 2, 3]);
  const slopes = tf.matMul(tf.reshape(y, [2, 12]) as tf.Tensor2D, matrix, false, true);
  assertNear(pathLengths(linear, w, y), tf.norm(slopes, 2, 1));
});

Deno.test("pathLengths() averages the squares over the rows of W+", () => {
  const plus = normal<tf.Rank.R3>("plus", [2, 3, 6]);
  const factors = tf.tensor3d([1, 2, 3], [1, 3, 1]);
  const run = (w: tf.Tensor) => tf.mul(w, factors);
  const expected = tf.sqrt(tf.mul(tf.ones([2]), 6 * (1 + 4 + 9) / 3));
  assertNear(pathLengths(run, plus, tf.onesLike(plus)), expected);
});

const stepWith = (params: Record<string, tf.Tensor>) =>
  stepOf({
    scales: [scaleOf(image, image)],
    w,
    random: fixedRandom(),
    runStudent: (w) => synthesis(params, { w, noise }, config),
  });

Deno.test("pathLengthLoss is the variance of the lengths, or the distance from a given one", () => {
  const y = tf.mul(fixedRandom().normal([2, 16, 16, 3]), 1 / 16);
  const lengths = pathLengths((w) => synthesis(params, { w, noise }, config), w, y);
  const [value] = numbers(pathLengthLoss.student!(stepWith(params), { target: "batch_mean" }));
  const [variance] = numbers(tf.moments(lengths).variance);
  assert.ok(Math.abs(value! - variance!) < 1e-4 * variance!, `${value} ${variance}`);
  const [given] = numbers(pathLengthLoss.student!(stepWith(params), { target: 2 }));
  const [distance] = numbers(tf.mean(tf.square(tf.sub(lengths, 2))));
  assert.ok(Math.abs(given! - distance!) < 1e-4 * distance!, `${given} ${distance}`);
});

Deno.test("pathLengthLoss has a gradient in the generator's weights", () => {
  for (const name of ["4.conv1.weight", "8.conv0.style.weight", "16.rgb.weight"]) {
    assertGradient(
      (weight) => pathLengthLoss.student!(stepWith({ ...params, [name]: weight }), { target: 1 }),
      params[name]!,
    );
  }
});

Deno.test("pathLengthLoss is lazy and aims at the batch by default", () => {
  assert.equal(pathLengthLoss.every, 4);
  assert.deepEqual(pathLengthLoss.options.parse({}), { target: "batch_mean" });
});
