import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { blurForStride2, downsample } from "../../layers/fir.ts";
import { minibatchStddev } from "../../layers/minibatch_stddev.ts";
import { discriminatorCost } from "../../networks/cost.ts";
import {
  discriminator,
  discriminatorFeatures,
  initDiscriminator,
} from "../../networks/discriminator.ts";
import { assertGradient, assertNear, jittered, normal } from "../tensors.ts";

const config = { sizePx: 16, channels: [8, 6, 4], stddevGroup: 4 };
const weights = initDiscriminator(config, 1);
const params = jittered(weights);
const image = normal("image", [4, 16, 16, 3]);

Deno.test("discriminator() gives one logit per image and the features of each block", () => {
  assert.deepEqual(discriminator(params, image, config).shape, [4, 1]);
  const features = discriminatorFeatures(params, image, config);
  assert.deepEqual(features.map(({ shape }) => shape), [[4, 8, 8, 6], [4, 4, 4, 8]]);
});

Deno.test("discriminator() is the formula of StyleGAN2, block by block", () => {
  const active = (x: tf.Tensor) => tf.mul(tf.maximum(x, tf.mul(x, 0.2)), Math.SQRT2);
  const conv = (name: string, x: tf.Tensor, stride = 1) => {
    const kernel = params[`${name}.weight`] as tf.Tensor4D;
    const scaled = tf.div(kernel, Math.sqrt(kernel.size / kernel.shape[3])) as tf.Tensor4D;
    return tf.conv2d(x as tf.Tensor4D, scaled, stride, stride === 1 ? "same" : "valid");
  };
  const biased = (name: string, x: tf.Tensor, stride = 1) =>
    active(tf.add(conv(name, x, stride), params[`${name}.bias`]!)) as tf.Tensor4D;
  const linear = (name: string, x: tf.Tensor) => {
    const weight = params[`${name}.weight`] as tf.Tensor2D;
    const scaled = tf.div(weight, Math.sqrt(weight.shape[0])) as tf.Tensor2D;
    return tf.add(tf.matMul(x as tf.Tensor2D, scaled), params[`${name}.bias`]!);
  };

  let x = biased("16.rgb", image);
  for (const size of [16, 8]) {
    const skip = conv(`${size}.skip`, downsample(x));
    const main = biased(`${size}.conv1`, blurForStride2(biased(`${size}.conv0`, x)), 2);
    x = tf.div(tf.add(main, skip), Math.SQRT2);
  }
  const last = biased("4.conv", minibatchStddev(x, 4));
  const hidden = active(linear("4.fc", tf.reshape(last, [4, -1])));
  assertNear(discriminator(params, image, config), linear("4.out", hidden), 1e-4);
});

Deno.test("discriminator() sees the other images of a group, and no others", () => {
  const eight = tf.concat([image, normal("more", [4, 16, 16, 3])], 0);
  const logits = discriminator(params, eight, config);
  const even = tf.gather(eight, [0, 2, 4, 6]); // image i is of group i mod 2
  assertNear(tf.gather(logits, [0, 2, 4, 6]), discriminator(params, even, config));
});

Deno.test("features have about unit size at the start", () => {
  const initial = jittered(weights, 0);
  const flat = tf.mul(normal("colour", [4, 1, 1, 3]), tf.ones([1, 16, 16, 1])) as tf.Tensor4D;
  for (const features of discriminatorFeatures(initial, flat, config)) {
    const power = tf.mean(tf.square(features)).dataSync()[0]!;
    assert.ok(power > 0.1 && power < 5, `${power}`);
  }
});

Deno.test("discriminator() has a gradient in the image", () => {
  const value = (x: tf.Tensor) => tf.sum(discriminator(params, x as tf.Tensor4D, config));
  assertGradient(value, image);
});

Deno.test("R1 has a gradient in every weight that it reaches", () => {
  const penalty = (params: Record<string, tf.Tensor>) => {
    const slope = tf.grad((x) => tf.sum(discriminator(params, x as tf.Tensor4D, config)))(image);
    return tf.sum(tf.square(slope)) as tf.Scalar;
  };
  const linear = ["16.rgb.weight", "16.conv0.weight", "8.conv1.weight", "8.skip.weight"];
  for (const name of [...linear, "4.conv.weight", "4.fc.weight", "4.out.weight"]) {
    const value = (weight: tf.Tensor) => penalty({ ...params, [name]: weight });
    assertGradient(value, params[name]!);
  }
});

Deno.test("discriminator() names the image that it expects", () => {
  assert.throws(() => discriminator(params, normal("x", [1, 8, 8, 3]), config), {
    name: "RangeError",
    message:
      "Cannot run the discriminator: expected an image of shape [N,16,16,3] but received [1,8,8,3]",
  });
});

Deno.test("initDiscriminator() has the weights that the cost counts, layer by layer", () => {
  const sizes: Record<string, number> = {};
  for (const [name, { data }] of Object.entries(weights)) {
    const layer = `discriminator.${name.split(".").slice(0, 2).join(".")}`;
    sizes[layer] = (sizes[layer] ?? 0) + data.length;
  }
  const { layers } = discriminatorCost(config);
  assert.deepEqual(Object.fromEntries(layers.map((row) => [row.layer, row.parameters])), sizes);
});
