import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { noiseShapes } from "../../networks/config.ts";
import { teacherCost } from "../../networks/cost.ts";
import { initSynthesis, synthesis, synthesisImages } from "../../networks/synthesis.ts";
import { assertGradient, assertNear, jittered, normal, numbers } from "../tensors.ts";

const config = { sizePx: 16, styleDim: 6, mappingLayers: 2, channels: [8, 6, 4] };
const weights = initSynthesis(config, 1);
const params = jittered(weights);
const w = normal<tf.Rank.R2>("w3", [2, 6]);
const noise = noiseShapes(16).map((shape, i) => normal(`noise${i}`, shape));
const image = () => synthesis(params, { w, noise }, config);

Deno.test("synthesis() makes an image of every size on the way", () => {
  const images = synthesisImages(params, { w, noise }, config);
  assert.deepEqual(images.map(({ shape }) => shape), [[2, 4, 4, 3], [2, 8, 8, 3], [2, 16, 16, 3]]);
  assertNear(images[2]!, image());
});

Deno.test("synthesis() reads W+ row by row, RGB layers the row of the next convolution", () => {
  const rows = Array.from({ length: 6 }, (_, i) => normal<tf.Rank.R2>(`w${i}`, [2, 6]));
  const plus = (rows: tf.Tensor[]) => tf.stack(rows, 1);
  const imagesOf = (rows: tf.Tensor[]) =>
    synthesisImages(params, { w: plus(rows), noise }, config).map(numbers);
  assertNear(synthesis(params, { w: plus(Array(6).fill(w)), noise }, config), image());

  const before = imagesOf(rows);
  // First image that a row changes: conv 4, RGB 4 and up 8, conv 8, RGB 8 and up 16, conv, RGB 16.
  const first = [0, 0, 1, 1, 2, 2];
  for (const [row, size] of first.entries()) {
    const after = imagesOf(rows.with(row, normal<tf.Rank.R2>("other", [2, 6])));
    assert.equal(
      after.findIndex((values, i) => `${values}` !== `${before[i]}`),
      size,
      `row ${row}`,
    );
  }
});

Deno.test("synthesis() uses every noise map, one per batch or one per image", () => {
  const before = numbers(image());
  noise.forEach((_, i) => {
    const other = noise.with(i, tf.neg(noise[i]!));
    assert.notDeepEqual(numbers(synthesis(params, { w, noise: other }, config)), before);
  });
  const each = noise.map((map) => tf.concat([map, map], 0));
  assertNear(synthesis(params, { w, noise: each }, config), image());
});

Deno.test("synthesis() without noise is that with noise of zero", () => {
  const zeros = noise.map((map) => tf.zerosLike(map));
  assertNear(
    synthesis(params, { w }, config),
    synthesis(params, { w, noise: zeros }, config),
  );
});

Deno.test("synthesis() treats images of a batch apart", () => {
  const second = synthesis(params, { w: tf.slice(w, [1, 0], [1, 6]), noise }, config);
  assertNear(tf.slice(image(), [1, 0, 0, 0], [1, -1, -1, -1]), second);
});

Deno.test("synthesis() has first and second derivatives in w", () => {
  const y = normal("y", [2, 16, 16, 3]);
  const value = (w: tf.Tensor) => tf.sum(tf.mul(synthesis(params, { w, noise }, config), y));
  assertGradient(value, w);
  const slope = (w: tf.Tensor) => tf.sum(tf.square(tf.grad(value)(w)));
  assertGradient(slope, w);
});

Deno.test("synthesis() leaks no tensors", () => {
  const before = tf.memory().numTensors;
  tf.tidy(() => {
    image();
  });
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("synthesis() names the number of noise maps", () => {
  assert.throws(() => synthesis(params, { w, noise: noise.slice(1) }, config), {
    name: "RangeError",
    message: "Cannot run the teacher: expected 5 noise maps but received 4",
  });
});

Deno.test("initSynthesis() has the weights that the cost counts, layer by layer", () => {
  const sizes: Record<string, number> = {};
  for (const [name, { data }] of Object.entries(weights)) {
    const layer = `synthesis.${name.split(".").slice(0, 2).join(".")}`;
    sizes[layer] = (sizes[layer] ?? 0) + data.length;
  }
  const { layers } = teacherCost(config);
  assert.deepEqual(Object.fromEntries(layers.map((row) => [row.layer, row.parameters])), sizes);
});

Deno.test("initSynthesis() draws every layer from a stream of its own", () => {
  const wider = initSynthesis({ ...config, channels: [8, 6, 5] }, 1);
  assert.deepEqual(wider["8.conv1.weight"], weights["8.conv1.weight"]);
});
