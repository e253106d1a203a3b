import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { createRandom } from "../../core/random.ts";
import { upsampleForConv } from "../../layers/fir.ts";
import {
  initModulatedConv,
  initModulatedRgb,
  modulatedConv,
  modulatedRgb,
} from "../../layers/modulated_conv.ts";
import { assertGradient, assertNear, jittered, normal } from "../tensors.ts";

const dims = { inChannels: 4, outChannels: 5, styleDim: 6 };
const params = jittered(initModulatedConv(dims, createRandom(1, "conv")));
const x = normal("x", [2, 4, 4, 4]);
const style = normal<tf.Rank.R2>("style", [2, 6]);

/** StyleGAN2's equations 1 and 3 as printed: one modulated, demodulated kernel per image. */
function byWeights(x: tf.Tensor4D, noise: tf.Tensor4D, up: boolean): tf.Tensor {
  const affine = tf.matMul(style, tf.div(params["style.weight"]!, Math.sqrt(6)));
  const modulation = tf.add(affine, params["style.bias"]!);
  const input = up ? upsampleForConv(x) : x;
  const images = [0, 1].map((i) => {
    const s = tf.reshape(tf.gather(modulation, i), [1, 1, 4, 1]);
    const kernel = tf.mul(tf.div(params["weight"]!, 6), s);
    const norm = tf.sqrt(tf.add(tf.sum(tf.square(kernel), [0, 1, 2]), 1e-8));
    const image = tf.slice(input, [i, 0, 0, 0], [1, -1, -1, -1]);
    return tf.conv2d(image, tf.div(kernel, norm) as tf.Tensor4D, 1, up ? "valid" : "same");
  });
  const noisy = tf.add(tf.concat(images, 0), tf.mul(noise, params["noise_strength"]!));
  const y = tf.add(noisy, params["bias"]!);
  return tf.mul(tf.maximum(y, tf.mul(y, 0.2)), Math.SQRT2);
}

for (const up of [false, true]) {
  Deno.test(`modulatedConv() equals modulated weights, up: ${up}`, () => {
    for (const images of [1, 2]) {
      const noise = normal("noise", [images, up ? 8 : 4, up ? 8 : 4, 1]);
      assertNear(modulatedConv(params, { x, style, noise }, { up }), byWeights(x, noise, up));
    }
  });
}

Deno.test("modulatedConv() makes one image per style of a single x", () => {
  const one = tf.slice(x, [0, 0, 0, 0], [1, -1, -1, -1]);
  const twice = tf.concat([one, one], 0);
  assertNear(modulatedConv(params, { x: one, style }), modulatedConv(params, { x: twice, style }));
});

Deno.test("modulatedConv() has a first and a second derivative in the style", () => {
  const y = normal("y", [2, 8, 8, 5]);
  const value = (style: tf.Tensor) =>
    tf.sum(tf.mul(modulatedConv(params, { x, style: style as tf.Tensor2D }, { up: true }), y));
  assertGradient(value, style);
  const slopes = (style: tf.Tensor) => tf.sum(tf.square(tf.grad(value)(style)));
  assertGradient(slopes, style);
});

Deno.test("modulatedRgb() is a modulated 1x1 convolution without demodulation", () => {
  const rgb = jittered(initModulatedRgb({ channels: 4, styleDim: 6 }, createRandom(1, "rgb")));
  const affine = tf.matMul(style, tf.div(rgb["style.weight"]!, Math.sqrt(6)));
  const scaled = tf.mul(x, tf.reshape(tf.add(affine, rgb["style.bias"]!), [2, 1, 1, 4]));
  const pixels = tf.matMul(
    tf.reshape(scaled, [32, 4]) as tf.Tensor2D,
    tf.div(tf.reshape(rgb["weight"]!, [4, 3]), 2) as tf.Tensor2D,
  );
  const expected = tf.add(tf.reshape(pixels, [2, 4, 4, 3]), rgb["bias"]!);
  assertNear(modulatedRgb(rgb, { x, style }), expected);
});

Deno.test("initModulatedConv() starts with noise off and styles near one", () => {
  const { noise_strength, "style.bias": bias } = initModulatedConv(dims, createRandom(1, "conv"));
  assert.deepEqual(noise_strength, { shape: [1], data: new Float32Array(1) });
  assert.deepEqual(bias, { shape: [4], data: new Float32Array(4).fill(1) });
});
