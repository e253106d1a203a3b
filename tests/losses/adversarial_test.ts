import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { adversarialLoss } from "../../losses/adversarial.ts";
import { assertGradient, normal, numbers } from "../tensors.ts";
import { fixedRandom, scaleOf, stepOf } from "./step.ts";

const [fake, real] = [normal("a", [4, 4, 4, 3]), normal("b", [4, 4, 4, 3])];
const discriminate = (x: tf.Tensor4D) => tf.expandDims(tf.sum(x, [1, 2, 3]), 1) as tf.Tensor2D;
const step = stepOf({ scales: [scaleOf(fake, real)], discriminate });
const plain = adversarialLoss.options.parse({});
const bce = adversarialLoss.options.parse({ form: "bce" });
const logits = (x: tf.Tensor4D) => numbers(tf.sum(x, [1, 2, 3]));
const mean = (values: number[]) => values.reduce((sum, value) => sum + value) / values.length;
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const near = (actual: tf.Scalar, expected: number) =>
  assert.ok(Math.abs(numbers(actual)[0]! - expected) <= 1e-5 * expected, `${expected}`);

Deno.test("adversarialLoss of the student is the same in both forms", () => {
  const expected = mean(logits(fake).map((x) => softplus(-x)));
  near(adversarialLoss.student!(step, plain), expected);
  near(adversarialLoss.student!(step, bce), expected);
});

Deno.test("adversarialLoss of the discriminator sums, or averages, fake and real", () => {
  const sum = mean(logits(fake).map(softplus)) + mean(logits(real).map((x) => softplus(-x)));
  near(adversarialLoss.discriminator!(step, plain), sum);
  near(adversarialLoss.discriminator!(step, bce), sum / 2);
});

Deno.test('adversarialLoss "bce" is the cross-entropy of sigmoid(logits)', () => {
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const entropy = mean(logits(fake).map((x) => -Math.log(1 - sigmoid(x)))) +
    mean(logits(real).map((x) => -Math.log(sigmoid(x))));
  near(adversarialLoss.discriminator!(step, bce), entropy / 2);
});

Deno.test("adversarialLoss has gradients, also at logits that saturate", () => {
  const far = tf.add(fake, 3) as tf.Tensor4D; // logits near 144
  const value = (x: tf.Tensor) => {
    const scales = [scaleOf(x as tf.Tensor4D, real)];
    return adversarialLoss.discriminator!(stepOf({ scales, discriminate }), bce);
  };
  assertGradient(value, fake);
  assert.ok(numbers(tf.grad(value)(far)).every((x) => Math.abs(x - 1 / 8) < 1e-5));
});

Deno.test("adversarialLoss asks for a discriminator, and defaults to StyleGAN2's form", () => {
  assert.deepEqual(adversarialLoss.needs, { discriminator: true });
  assert.deepEqual(plain, {
    form: "non_saturating",
    augment: { flip: 0, move: 0, erase: 0 },
  });
});

Deno.test("adversarialLoss augments what the discriminator sees, each image by its own draws", () => {
  const seen: tf.Tensor[] = [];
  const watched = stepOf({
    scales: [scaleOf(fake, fake)],
    random: fixedRandom(),
    discriminate: (x) => {
      seen.push(x);
      return discriminate(x);
    },
  });
  const options = adversarialLoss.options.parse({ augment: { move: 1 } });
  adversarialLoss.student!(watched, options);
  adversarialLoss.discriminator!(watched, options);
  assert.equal(seen.length, 3);
  const differ = (a: tf.Tensor, b: tf.Tensor) => numbers(tf.max(tf.abs(tf.sub(a, b))))[0]! > 0.1;
  assert.ok(seen.every((x) => differ(x, fake)));
  assert.ok(differ(seen[1]!, seen[2]!), "student's and teacher's images are changed alike");
});

Deno.test("adversarialLoss passes gradients through the augmentation", () => {
  const options = adversarialLoss.options.parse({ augment: { flip: 0.5, move: 0.5, erase: 1 } });
  const value = (x: tf.Tensor) => {
    const scales = [scaleOf(x as tf.Tensor4D, real)];
    const random = fixedRandom();
    return adversarialLoss.student!(stepOf({ scales, discriminate, random }), options);
  };
  assertGradient(value, fake);
});
