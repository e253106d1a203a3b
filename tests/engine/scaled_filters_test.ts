import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { upfirdnMatrix } from "../../core/axis_matrix.ts";
import { blockedForms } from "../../engine/forms/mod.ts";
import { nodeRules } from "../../engine/kernels/mod.ts";
import { lower } from "../../engine/lowering.ts";
import { fuseConvolutions } from "../../engine/passes/fuse_convolutions.ts";
import { scaledFilterName, scaleFilters } from "../../engine/passes/scale_filters.ts";
import { leakyRelu } from "../../layers/activation.ts";
import { upsampleSkip } from "../../layers/fir.ts";
import { inverseHaar } from "../../layers/haar.ts";
import { resample } from "../../layers/resample.ts";
import { upConv } from "../../layers/up_conv.ts";
import { array, type BlockCases, type BlockFunction, testBlocks } from "./same_blocks.ts";

/* Factors per image and channel, and what is added after them, inside the filters of ONNX Runtime's
 * blocked convolutions. */

type T4 = tf.Tensor4D;

const conv = (x: tf.Tensor, y: tf.Tensor) => tf.conv2d(x as T4, y as T4, 1, "same");
/** Two different numbers per image and channel. */
const factors = (x: T4) => tf.mean(tf.square(x), [1, 2], true);
const others = (x: T4) => tf.add(tf.mean(x, [1, 2], true), 2);
const scaled = (x: T4) => tf.mul(x, factors(x)) as T4;
const bias = (y: tf.Tensor) => tf.sum(y, [0, 1, 2]);
/** A number per pixel, of every image or of the first one. */
const map = (x: T4, images = x.shape[0]) =>
  tf.mean(tf.slice(x, 0, [images, ...x.shape.slice(1)]), 3, true);
const modulated: BlockFunction = (x, y) =>
  leakyRelu(tf.add(tf.mul(conv(scaled(x), y), others(x)), tf.add(map(x, 1), bias(y))));

const blur = (x: T4) => {
  const matrix = upfirdnMatrix(x.shape[1], { taps: [1 / 8, 3 / 8, 3 / 8, 1 / 8], pad: [2, 1] });
  return resample(x, matrix, matrix);
};

const cases: BlockCases = {
  "factors before and after a convolution": [
    (x, y) => tf.mul(conv(scaled(x), y), others(x)),
    [3, 16, 16, 16],
    [3, 3, 16, 16],
  ],
  "factors before and after a convolution to more channels": [
    (x, y) => {
      const made = conv(scaled(x), y);
      return tf.mul(made, tf.tile(others(x), [1, 1, 1, 2]));
    },
    [2, 24, 16, 16],
    [3, 3, 16, 32],
  ],
  "factors before a convolution": [
    (x, y) => conv(scaled(x), y),
    [2, 16, 16, 32],
    [1, 1, 32, 16],
  ],
  "factors after a convolution of stride 2": [
    (x, y) => tf.mul(tf.conv2d(x, y as T4, 2, "valid"), others(x)),
    [2, 33, 33, 16],
    [3, 3, 16, 16],
  ],
  "factors before a convolution to colours": [
    (x, y) => tf.add(conv(scaled(x), y), bias(y)),
    [2, 8, 8, 16],
    [1, 1, 16, 3],
  ],
  "a convolution to colours with a bias and colours that are added": [
    (x, y) => tf.add(tf.add(conv(x, y), bias(y)), tf.slice(x, 0, [2, 8, 8, 3])),
    [2, 8, 8, 16],
    [1, 1, 16, 3],
  ],
  "colours of a convolution with a bias as pixels": [
    (x, y) => tf.depthToSpace(tf.add(conv(scaled(x), y), bias(y)) as T4, 2, "NHWC"),
    [2, 8, 4, 16],
    [1, 1, 16, 12],
  ],
  "bands of a convolution with factors as colours, and themselves": [
    (x, y) => {
      const bands = tf.add(conv(scaled(x), y), bias(y)) as T4;
      return tf.concat([tf.reshape(inverseHaar(bands), [-1]), tf.reshape(bands, [-1])]);
    },
    [2, 8, 4, 16],
    [1, 1, 16, 12],
  ],
  "factors after a convolution to colours": [
    (x, y) => tf.mul(conv(x, y), tf.slice(others(x), 0, [2, 1, 1, 3])),
    [2, 8, 8, 16],
    [1, 1, 16, 3],
  ],
  "factors around a convolution of one image": [
    (x, y) => tf.mul(conv(scaled(x), y), others(x)),
    [1, 16, 16, 16],
    [3, 3, 16, 16],
  ],
  "factors per image before and shared ones after a convolution": [
    (x, y) => tf.mul(conv(scaled(x), y), bias(y)),
    [2, 16, 16, 16],
    [3, 3, 16, 16],
  ],
  "factors between two convolutions": [
    (x, y) => conv(tf.mul(conv(x, y), factors(x)), y),
    [2, 16, 16, 16],
    [3, 3, 16, 16],
  ],
  "a modulated convolution with noise": [modulated, [3, 16, 16, 16], [3, 3, 16, 16]],
  "a modulated convolution with noise whose factors are products": [
    modulated,
    [3, 4, 4, 16],
    [3, 3, 16, 16],
  ],
  "a modulated convolution with noise of every image": [
    (x, y) => leakyRelu(tf.add(tf.mul(conv(scaled(x), y), others(x)), tf.add(bias(y), map(x)))),
    [3, 16, 16, 16],
    [3, 3, 16, 16],
  ],
  "a convolution with noise and no bias": [
    (x, y) => leakyRelu(tf.add(conv(x, y), map(x, 1))),
    [3, 8, 8, 16],
    [3, 3, 16, 16],
  ],
  "a convolution with a bias and noise of every image": [
    (x, y) => leakyRelu(tf.add(tf.add(conv(x, y), bias(y)), map(x))),
    [3, 8, 8, 16],
    [3, 3, 16, 16],
  ],
  "maps of one channel with numbers, rows and numbers per image": [
    (x, y) => {
      const one = tf.mul(map(x), tf.sum(y));
      const row = tf.mean(one, 1, true);
      const test = tf.cast(tf.greater(one, tf.mean(one, [1, 2], true)), "float32");
      return conv(tf.add(x, tf.mul(tf.add(tf.tanh(one), row), tf.add(test, tf.sum(y)))), y);
    },
    [2, 32, 24, 16],
    [1, 1, 16, 16],
  ],
  "an upsampling convolution with factors, noise and bias": [
    (x, y) => {
      const doubled = upConv(scaled(x), y as T4);
      const noise = map(upsampleSkip(x), 1);
      return leakyRelu(tf.add(tf.mul(doubled, others(x)), tf.add(noise, bias(y))));
    },
    [3, 8, 8, 16],
    [3, 3, 16, 16],
  ],
  "factors after a doubled image": [
    (x) => tf.mul(upsampleSkip(x), others(x)),
    [2, 8, 8, 16],
  ],
  "a blur of a transposed convolution that ends before its last taps": [
    (x, y) => blur(tf.conv2dTranspose(x, y as T4, [2, 15, 15, 16], 2, "same")),
    [2, 8, 8, 16],
    [2, 2, 16, 16],
  ],
  "a convolution with another one and its bias": [
    (x, y) => tf.add(conv(x, y), tf.add(conv(scaled(x), y), bias(y))),
    [2, 16, 16, 16],
    [3, 3, 16, 16],
  ],
  "a convolution with a sum of a value and a bias": [
    (x, y) => tf.add(conv(x, y), tf.add(tf.square(x), bias(y))),
    [2, 16, 16, 16],
    [3, 3, 16, 16],
  ],
  "a transposed convolution that two filters read": [
    (x, y) => {
      const odd = tf.conv2dTranspose(x, y as T4, [2, 17, 17, 16], 2, "valid");
      return tf.add(blur(odd), odd);
    },
    [2, 8, 8, 16],
    [3, 3, 16, 16],
  ],
};

const [, engine] = await testBlocks(cases);

/** A function as a program, and as the model that is written of it. */
function written(fn: BlockFunction, x: number[], y: number[]) {
  const compiled = engine.compile(
    ({ x, y }: { x: tf.Tensor; y: tf.Tensor }) => fn(x as T4, y),
    { name: "written" },
  );
  const program = scaleFilters(compiled.program({ x: array("x", x), y: array("y", y) }));
  const options = { forms: blockedForms, block: 8 };
  const model = lower(fuseConvolutions(program), "onnxruntime", nodeRules(), options);
  const text = new TextDecoder().decode(model);
  const count = (type: string) => text.match(new RegExp(`${type}(?!_)`, "g"))?.length ?? 0;
  return { kernels: program.ops.map(({ kernel }) => kernel), count };
}

Deno.test("scaleFilters() leaves no pass over the image of a modulated convolution", () => {
  const { kernels, count } = written(modulated, [3, 16, 16, 16], [3, 3, 16, 16]);
  assert.equal(kernels.filter((kernel) => kernel === scaledFilterName("Conv2D")).length, 1);
  assert.equal(kernels.filter((kernel) => kernel === "Multiply").length, 0);
  assert.deepEqual([count("Expand"), count("LeakyRelu")], [0, 1]);
});

Deno.test("a convolution to colours has its bias in itself, where colours are added too", () => {
  const { count } = written(
    (x, y) => tf.add(tf.add(conv(scaled(x), y), bias(y)), tf.slice(x, 0, [2, 8, 8, 3])),
    [2, 8, 8, 16],
    [1, 1, 16, 3],
  );
  assert.equal(count("Add"), 1);
});

Deno.test("a large map times a number is broadcast along rows, not along an axis of one", () => {
  const reshapes = (size: number) =>
    written((x, y) => tf.mul(x, y), [1, size, size, 1], [1]).count("Reshape");
  assert.deepEqual([reshapes(16), reshapes(32)], [0, 2]);
});

Deno.test("scaleFilters() keeps products that are smaller than a filter per image", () => {
  const { kernels } = written(modulated, [3, 4, 4, 16], [3, 3, 16, 16]);
  assert.equal(kernels.includes(scaledFilterName("Conv2D")), false);
  assert.equal(kernels.filter((kernel) => kernel === "Multiply").length, 2);
});

Deno.test("scaleFilters() keeps products that something else reads", () => {
  const { kernels } = written(
    (x, y) => {
      const product = scaled(x);
      return tf.concat([conv(product, y), product], 3);
    },
    [3, 16, 16, 16],
    [3, 3, 16, 16],
  );
  assert.equal(kernels.includes(scaledFilterName("Conv2D")), false);
});

Deno.test("a blur reads an upsampled image with its last zeros", () => {
  const { count } = written(
    (x, y) =>
      blur(
        tf.conv2dTranspose(x, y as T4, [2, 17, 17, 16], 2, "valid"),
      ),
    [2, 8, 8, 16],
    [3, 3, 16, 16],
  );
  assert.equal(count("Conv"), 5); // one per parity, and the blur
});
