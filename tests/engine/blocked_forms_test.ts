import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { bilinearMatrix, upfirdnMatrix } from "../../core/axis_matrix.ts";
import type { HostArray } from "../../core/contracts.ts";
import { blockedForms } from "../../engine/forms/mod.ts";
import { nodeRules } from "../../engine/kernels/mod.ts";
import { lower } from "../../engine/lowering.ts";
import { leakyRelu } from "../../layers/activation.ts";
import { haar, inverseHaar } from "../../layers/haar.ts";
import { resample } from "../../layers/resample.ts";
import { array, type BlockCases, type BlockFunction, testBlocks } from "./same_blocks.ts";

/* Channels are multiples of 16 here, unlike in the tests of kernels: what ONNX Runtime does with
 * blocks of channels must be what TensorFlow.js does. */

type T4 = tf.Tensor4D;

const conv = (strides: number, pad: "same" | "valid"): BlockFunction => (x, y) =>
  tf.conv2d(x, y as T4, strides, pad);
const up = (size: number, channels: number): BlockFunction => (x, y) =>
  tf.conv2dTranspose(x, y as T4, [x.shape[0], size, size, channels], 2, "valid");
const fir = { taps: [1 / 8, 3 / 8, 3 / 8, 1 / 8] };
const resampled =
  (size: number, options: Parameters<typeof upfirdnMatrix>[1]): BlockFunction => (x) =>
    resample(x, upfirdnMatrix(size, options), upfirdnMatrix(size, options));

const cases: BlockCases = {
  "a 3x3 convolution": [conv(1, "same"), [2, 16, 16, 32], [3, 3, 32, 48]],
  "a 3x3 convolution of 8x8": [conv(1, "same"), [3, 8, 8, 32], [3, 3, 32, 16]],
  "a 3x3 convolution of 4x4": [conv(1, "same"), [2, 4, 4, 16], [3, 3, 16, 16]],
  "a 3x3 convolution of an oblong": [conv(1, "same"), [2, 12, 32, 16], [3, 3, 16, 32]],
  "a 3x3 convolution without padding": [conv(1, "valid"), [2, 18, 18, 16], [3, 3, 16, 32]],
  "a 5x5 convolution": [conv(1, "same"), [1, 16, 16, 16], [5, 5, 16, 16]],
  "a 1x1 convolution": [conv(1, "same"), [2, 8, 8, 32], [1, 1, 32, 48]],
  "a 1x1 convolution of colours": [conv(1, "same"), [2, 8, 8, 3], [1, 1, 3, 32]],
  "a 1x1 convolution to colours": [conv(1, "same"), [2, 8, 8, 32], [1, 1, 32, 3]],
  "a 1x1 convolution to one and a half blocks": [
    conv(1, "same"),
    [2, 8, 8, 32],
    [1, 1, 32, 24],
  ],
  "a 3x3 convolution of stride 2": [conv(2, "valid"), [2, 33, 33, 16], [3, 3, 16, 32]],
  "a 3x3 convolution of stride 2 to 8x8": [conv(2, "valid"), [2, 17, 17, 16], [3, 3, 16, 32]],
  "a padded 3x3 convolution of stride 2": [conv(2, "same"), [2, 16, 16, 16], [3, 3, 16, 16]],
  "a 2x2 convolution of stride 2": [conv(2, "valid"), [1, 32, 32, 16], [2, 2, 16, 16]],
  "a transposed convolution": [up(33, 32), [2, 16, 16, 16], [3, 3, 32, 16]],
  "a transposed 2x2 convolution": [up(32, 16), [2, 16, 16, 16], [2, 2, 16, 16]],
  "a transposed 1x3 convolution": [
    (x, y) => tf.conv2dTranspose(x, y as T4, [x.shape[0], 31, 33, 16], 2, "valid"),
    [2, 16, 16, 16],
    [1, 3, 16, 16],
  ],
  "a transposed 4x4 convolution": [up(34, 16), [2, 16, 16, 16], [4, 4, 16, 16]],
  "a depthwise convolution": [
    (x, y) => tf.depthwiseConv2d(x, y as T4, 1, "same"),
    [2, 8, 8, 32],
    [3, 3, 32, 1],
  ],
  "a Haar transform": [haar, [2, 4, 12, 48]],
  "an inverse Haar transform of what a convolution, noise, bias, an activation and a style make": [
    (x, y) => {
      const bias = tf.mean(y, [0, 1, 2]);
      const made = tf.add(tf.conv2d(x, y as T4, 1, "same"), tf.add(tf.mean(x, 3, true), bias));
      const style = tf.tile(tf.mean(x, [1, 2], true), [1, 1, 1, 8]);
      return inverseHaar(tf.mul(leakyRelu(made, 0.2), style) as T4);
    },
    [2, 8, 12, 16],
    [3, 3, 16, 128],
  ],
  "a Haar transform of one block": [haar, [1, 8, 4, 16]],
  "an inverse Haar transform": [inverseHaar, [2, 6, 2, 128]],
  "an inverse Haar transform of one block": [inverseHaar, [3, 4, 4, 64]],
  "an inverse Haar transform of images with factors": [
    (x) => inverseHaar(tf.mul(x, tf.mean(tf.square(x), [1, 2], true))),
    [3, 2, 4, 128],
  ],
  "an inverse Haar transform of one image with factors": [
    (x) => inverseHaar(tf.mul(x, tf.mean(tf.square(x), [1, 2], true))),
    [1, 4, 4, 64],
  ],
  "bands of a convolution as pixels": [
    (x, y) => {
      const bands = tf.conv2d(x, y as T4, 1, "same");
      return inverseHaar(tf.add(bands, tf.sum(tf.square(y), [0, 1, 2])) as T4);
    },
    [2, 8, 4, 32],
    [1, 1, 32, 12],
  ],
  "bands of a convolution without bias as one colour": [
    (x, y) => inverseHaar(tf.conv2d(x, y as T4, 1, "same")),
    [1, 8, 8, 16],
    [3, 3, 16, 4],
  ],
  "factors before a depthwise convolution": [
    (x, y) => tf.depthwiseConv2d(tf.mul(x, tf.mean(x, [1, 2], true)), y as T4, 1, "same"),
    [3, 8, 8, 32],
    [3, 3, 32, 1],
  ],
  "factors that images share before convolutions": [
    (x, y) => {
      const scaled = (x: T4, filter: tf.Tensor): T4 => tf.mul(x, tf.sum(filter, [0, 1, 3]));
      const spatial = tf.depthwiseConv2d(
        scaled(x, y),
        tf.slice(y as T4, 0, [3, 3, 16, 1]),
        1,
        "same",
      );
      return tf.conv2d(scaled(spatial as T4, y), y as T4, 1, "same");
    },
    [2, 8, 8, 16],
    [3, 3, 16, 32],
  ],
  "a blur": [resampled(16, { ...fir, pad: [2, 2] }), [2, 16, 16, 16]],
  "halving": [resampled(16, { ...fir, pad: [1, 1], down: 2 }), [2, 16, 16, 16]],
  "doubling": [resampled(8, { ...fir, pad: [2, 1], up: 2, gain: 2 }), [2, 8, 8, 16]],
  "doubling for a convolution": [
    resampled(8, { ...fir, pad: [3, 2], up: 2, gain: 2 }),
    [2, 8, 8, 16],
  ],
  "doubling by a filter that is no blur of doubled pixels": [
    resampled(8, { taps: [0.25, 0.5, 0.25], pad: [2, 1], up: 2 }),
    [1, 8, 8, 16],
  ],
  "bilinear resizing": [
    (x) => {
      const matrix = bilinearMatrix(8, 12, { alignCorners: true });
      return resample(x, matrix, matrix);
    },
    [1, 8, 8, 16],
  ],
  "bias and activation": [
    (x, y) => leakyRelu(tf.add(tf.conv2d(x, y as T4, 1, "same"), tf.sum(y, [0, 1, 2]))),
    [2, 8, 8, 16],
    [3, 3, 16, 16],
  ],
  "a residual block": [
    (x, y) => {
      const inner = leakyRelu(tf.conv2d(x, y as T4, 1, "same"));
      return leakyRelu(tf.add(tf.conv2d(inner, y as T4, 1, "same"), x));
    },
    [2, 8, 8, 16],
    [3, 3, 16, 16],
  ],
  "factors and terms that broadcast": [
    (x, y) => {
      const a = tf.conv2d(x, tf.slice(y as T4, [0, 0, 0, 0], [1, 1, 16, 16]), 1, "same");
      const perImage = tf.mean(a, [1, 2], true);
      const perPixel = tf.mean(a, 3, true);
      const shared = tf.mean(a, 0, true);
      return tf.addN([
        tf.mul(tf.mul(a, perImage), tf.add(perPixel, 2)),
        tf.mul(tf.add(a, shared), tf.sum(y, [0, 1, 2])),
        tf.div(a, tf.add(tf.mean(tf.square(a)), 1)),
      ]);
    },
    [3, 8, 8, 16],
    [1, 1, 16, 16],
  ],
  "factors per image, a bias and an activation": [
    (x, y) => {
      const a = tf.conv2d(x, y as T4, 1, "same");
      const factors = tf.mean(tf.square(x), [1, 2], true);
      return leakyRelu(tf.add(tf.mul(a, factors), tf.sum(y, [0, 1, 2])));
    },
    [3, 8, 8, 16],
    [1, 1, 16, 16],
  ],
  "factors per image, terms that images share and an activation": [
    (x, y) => {
      const a = tf.conv2d(x, y as T4, 1, "same");
      const factors = tf.mean(tf.square(x), [1, 2], true);
      const biased = tf.add(tf.mul(a, factors), tf.sum(y, [0, 1, 2]));
      return leakyRelu(tf.add(biased, tf.slice(x, [0, 0, 0, 0], [1, 8, 8, 16])));
    },
    [3, 8, 8, 16],
    [1, 1, 16, 16],
  ],
  "a convolution with terms that images share": [
    (x, y) => {
      const shared = tf.slice(x, [0, 0, 0, 0], [1, 8, 8, 16]);
      return leakyRelu(tf.add(tf.conv2d(x, y as T4, 1, "same"), shared));
    },
    [3, 8, 8, 16],
    [3, 3, 16, 16],
  ],
  "sums of products over pixels": [
    (x, y) => {
      const a = tf.conv2d(x, y as T4, 1, "same");
      const perImage = tf.sum(tf.mul(a, x), [1, 2], true);
      const shared = tf.sum(tf.mul(tf.sub(a, x), x), [0, 1, 2]);
      return tf.add(tf.mul(a, perImage), tf.mul(x, shared));
    },
    [3, 8, 8, 16],
    [1, 1, 16, 16],
  ],
  "sums over images, pixels and all": [
    (x, y) => {
      const a = tf.square(tf.conv2d(x, y as T4, 1, "same"));
      const sums = [
        tf.sum(a, 0),
        tf.sum(a, [1, 2]),
        tf.mean(a, [0, 1, 2]),
        tf.sum(a, 3),
        tf.mean(a),
      ];
      return tf.addN(sums.map((sum) => tf.sum(tf.square(sum))));
    },
    [3, 4, 4, 16],
    [1, 1, 16, 32],
  ],
};

const engines = await testBlocks(cases);

Deno.test("blocked forms write convolutions of whole blocks where there is such a layout", () => {
  const fn = engines[1].compile(
    ({ x, y }: { x: tf.Tensor; y: tf.Tensor }) => tf.conv2d(x as T4, y as T4, 1, "same"),
    { name: "convolution" },
  );
  const uses = (block: number, channels: number) => {
    const shapes = { x: [1, 8, 8, channels], y: [3, 3, channels, channels] };
    const inputs = { x: array("x", shapes.x), y: array("y", shapes.y) };
    const options = { forms: blockedForms, block };
    const model = lower(fn.program(inputs), "onnxruntime", nodeRules(), options);
    return new TextDecoder().decode(model).includes("com.microsoft.nchwc");
  };
  assert.deepEqual([uses(16, 32), uses(8, 24), uses(16, 24), uses(0, 32)], [
    true,
    true,
    false,
    false,
  ]);
});

Deno.test("blocked forms stay in blocks where a number is added or multiplied", () => {
  const fn = engines[1].compile(
    ({ x, y, factor }: Record<"x" | "y" | "factor", tf.Tensor>) => {
      const first = tf.conv2d(x as T4, y as T4, 1, "same");
      const changed = tf.mul(tf.square(tf.add(first, 1)), factor);
      return tf.conv2d(changed as T4, y as T4, 1, "same");
    },
    { name: "numbers between convolutions" },
  );
  const inputs = {
    x: array("x", [1, 8, 8, 16]),
    y: array("y", [3, 3, 16, 16]),
    factor: array("factor", []),
  };
  const options = { forms: blockedForms, block: 8 };
  const model = lower(fn.program(inputs), "onnxruntime", nodeRules(), options);
  const text = new TextDecoder().decode(model);
  const count = (type: string) => text.match(new RegExp(`${type}(?!_)`, "g"))?.length; // types, not names
  assert.deepEqual([count("ReorderInput"), count("ReorderOutput")], [1, 1]);
});

Deno.test("blocked forms sum many pixels to the last digits", async () => {
  const [px, channels] = [128, 16];
  const x = array("many pixels", [1, px, px, channels]);
  const positive = { ...x, data: x.data.map(Math.abs) };
  const unit = new Float32Array(channels ** 2);
  for (let i = 0; i < channels; i++) unit[i * (channels + 1)] = 1;
  const sums = engines[1].compile(
    ({ x, y }: { x: tf.Tensor; y: tf.Tensor }) => ({
      sums: tf.sum(tf.conv2d(x as T4, y as T4, 1, "same"), [1, 2]),
    }),
    { name: "sums" },
  );
  const inputs = { x: positive, y: { shape: [1, 1, channels, channels], data: unit } };
  const { data } = (await sums(inputs)).sums as HostArray;
  const expected = new Float64Array(channels);
  positive.data.forEach((value, i) => expected[i % channels]! += value);
  const worst = Math.max(...expected.map((sum, i) => Math.abs(data[i]! / sum - 1)));
  assert.ok(worst < 5e-7, `${worst}`);
});
