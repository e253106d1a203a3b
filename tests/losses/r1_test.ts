import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { r1Loss } from "../../losses/r1.ts";
import { discriminator, initDiscriminator } from "../../networks/discriminator.ts";
import { assertGradient, jittered, normal, numbers } from "../tensors.ts";
import { scaleOf, stepOf } from "./step.ts";

const [fake, real] = [normal("a", [4, 16, 16, 3]), normal("b", [4, 16, 16, 3])];

Deno.test("r1Loss is gamma/2 times the mean squared slope at the teacher's images", () => {
  // D(x) = sum x^2 has the slope 2x.
  const discriminate = (x: tf.Tensor4D) =>
    tf.sum(tf.square(x), [1, 2, 3]) as tf.Tensor as tf.Tensor2D;
  const step = stepOf({ scales: [scaleOf(fake, real)], discriminate });
  const [value] = numbers(r1Loss.discriminator!(step, { gamma: 10 })) as [number];
  const [expected] = numbers(tf.mul(tf.sum(tf.square(real)), 4 * 10 / 2 / 4)) as [number];
  assert.ok(Math.abs(value - expected) < 1e-5 * expected, `${value} ${expected}`);
});

Deno.test("r1Loss has a gradient in the discriminator's weights", () => {
  const config = { sizePx: 16, channels: [8, 6, 4], stddevGroup: 4 };
  const params = jittered(initDiscriminator(config, 1));
  assertGradient((weight) => {
    const discriminate = (x: tf.Tensor4D) =>
      discriminator({ ...params, "8.conv0.weight": weight }, x, config);
    return r1Loss.discriminator!(stepOf({ scales: [scaleOf(fake, real)], discriminate }), {
      gamma: 1,
    });
  }, params["8.conv0.weight"]!);
});

Deno.test("r1Loss is lazy, asks for a discriminator, and defaults to config-f", () => {
  assert.equal(r1Loss.every, 16);
  assert.deepEqual(r1Loss.needs, { discriminator: true });
  assert.deepEqual(r1Loss.options.parse({}), { gamma: 10 });
});
