import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { discriminatorFeatures, initDiscriminator } from "../../networks/discriminator.ts";
import {
  discriminatorFeatureMaps,
  meanMagnitudes,
  measureMagnitudes,
  vgg16Features,
} from "../../networks/features.ts";
import { assertGradient, assertNear, jittered, normal, numbers } from "../tensors.ts";

const config = { sizePx: 16, channels: [8, 6, 4], stddevGroup: 4 };
const params = jittered(initDiscriminator(config, 1));
const image = normal("image", [2, 16, 16, 3]);

Deno.test("discriminator features are scaled to mean magnitude one", async () => {
  const magnitudes = await measureMagnitudes(() => {
    const tensor = meanMagnitudes(discriminatorFeatures(params, image, config));
    return { shape: tensor.shape, data: tensor.dataSync<"float32">() };
  });
  const maps = discriminatorFeatureMaps(params, image, { config, magnitudes });
  assertNear(meanMagnitudes(maps), tf.ones([2]));
});

Deno.test("measureMagnitudes() averages over the batches", async () => {
  const run = (batch: number) => ({ shape: [2], data: new Float32Array([batch + 1, 10]) });
  assert.deepEqual(await measureMagnitudes(run, { batches: 3 }), [2, 10]);
});

Deno.test("measureMagnitudes() refuses a block that is silent", async () => {
  await assert.rejects(measureMagnitudes(() => ({ shape: [2], data: new Float32Array([1, 0]) })), {
    name: "RangeError",
    message:
      "Cannot scale the discriminator's features: expected a positive magnitude of block 1 but received 0",
  });
});

Deno.test("discriminatorFeatureMaps() names the number of magnitudes", () => {
  assert.throws(() => discriminatorFeatureMaps(params, image, { config, magnitudes: [1] }), {
    name: "RangeError",
    message: "Cannot scale the discriminator's features: expected 2 magnitudes but received 1",
  });
});

/** A VGG16 with few channels: the layout is what counts. */
const channels = [4, 4, 5, 5, 6, 6, 6, 7, 7, 7];
const indices = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21];
const vgg = Object.fromEntries(indices.flatMap((index, i) => {
  const from = channels[i - 1] ?? 3;
  const weight = tf.div(normal(`vgg${i}`, [3, 3, from, channels[i]!]), Math.sqrt(4.5 * from));
  const bias = tf.mul(normal<tf.Rank.R1>(`bias${i}`, [channels[i]!]), 0.1);
  return [[`${index}.weight`, weight], [`${index}.bias`, bias]];
})) as Record<string, tf.Tensor>;

Deno.test("vgg16Features() are those of the layers as torchvision numbers them", () => {
  const outputs: tf.Tensor[] = [];
  let x: tf.Tensor4D = image;
  for (let index = 0; index <= 22; index++) {
    if ([4, 9, 16].includes(index)) x = tf.maxPool(x, 2, 2, "valid");
    else if (vgg[`${index}.weight`]) {
      const y = tf.conv2d(x, vgg[`${index}.weight`] as tf.Tensor4D, 1, "same");
      x = tf.add(y, vgg[`${index}.bias`]!);
    } else x = tf.relu(x);
    if ([3, 8, 15, 22].includes(index)) outputs.push(x);
  }
  const maps = vgg16Features(vgg, image, { inputPx: 16 });
  assert.deepEqual(maps.map(({ shape }) => shape), [
    [2, 16, 16, 4],
    [2, 8, 8, 5],
    [2, 4, 4, 6],
    [2, 2, 2, 7],
  ]);
  maps.forEach((map, i) => assertNear(map, outputs[i]!));
});

Deno.test("vgg16Features() resizes to 256 px by half-pixel bilinear interpolation", () => {
  const first = { "0.weight": normal("delta", [3, 3, 3, 4]), "0.bias": tf.zeros([4]) };
  const resized = tf.image.resizeBilinear(image, [256, 256], false, true);
  assertNear(
    vgg16Features({ ...vgg, ...first }, image)[0]!,
    vgg16Features({ ...vgg, ...first }, resized)[0]!,
  );
});

Deno.test('vgg16Features() "imagenet" whitens by ImageNet\'s colours', () => {
  const unit = tf.div(tf.add(image, 1), 2);
  const white = tf.div(tf.sub(unit, [0.485, 0.456, 0.406]), [0.229, 0.224, 0.225]) as tf.Tensor4D;
  const maps = vgg16Features(vgg, image, { inputPx: 16, normalisation: "imagenet" });
  assertNear(maps[3]!, vgg16Features(vgg, white, { inputPx: 16 })[3]!);
});

Deno.test("vgg16Features() has a gradient, and a second derivative", () => {
  const y = normal("y", [2, 2, 2, 7]);
  const value = (x: tf.Tensor) =>
    tf.sum(tf.mul(y, tf.square(vgg16Features(vgg, x as tf.Tensor4D, { inputPx: 16 })[3]!)));
  assertGradient(value, image);
  // Its slope jumps where a unit switches, too often for a difference; its layers' tests have one.
  const slope = (x: tf.Tensor) => tf.sum(tf.square(tf.grad(value)(x)));
  const [second] = numbers(tf.norm(tf.grad(slope)(image))) as [number];
  assert.ok(second > 0 && second < Infinity);
});
