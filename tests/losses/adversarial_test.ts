import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { adversarialLoss } from "../../losses/adversarial.ts";
import { assertGradient, normal, numbers } from "../tensors.ts";
import { scaleOf, stepOf } from "./step.ts";

const [fake, real] = [normal("a", [4, 4, 4, 3]), normal("b", [4, 4, 4, 3])];
const discriminate = (x: tf.Tensor4D) => tf.expandDims(tf.sum(x, [1, 2, 3]), 1) as tf.Tensor2D;
const step = stepOf({ scales: [scaleOf(fake, real)], discriminate });
const logits = (x: tf.Tensor4D) => numbers(tf.sum(x, [1, 2, 3]));
const mean = (values: number[]) => values.reduce((sum, value) => sum + value) / values.length;
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const near = (actual: tf.Scalar, expected: number) =>
  assert.ok(Math.abs(numbers(actual)[0]! - expected) <= 1e-5 * expected, `${expected}`);

Deno.test("adversarialLoss of the student is the same in both forms", () => {
  const expected = mean(logits(fake).map((x) => softplus(-x)));
  near(adversarialLoss.student!(step, { form: "non_saturating" }), expected);
  near(adversarialLoss.student!(step, { form: "bce" }), expected);
});

Deno.test("adversarialLoss of the discriminator sums, or averages, fake and real", () => {
  const sum = mean(logits(fake).map(softplus)) + mean(logits(real).map((x) => softplus(-x)));
  near(adversarialLoss.discriminator!(step, { form: "non_saturating" }), sum);
  near(adversarialLoss.discriminator!(step, { form: "bce" }), sum / 2);
});

Deno.test('adversarialLoss "bce" is the cross-entropy of sigmoid(logits)', () => {
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const entropy = mean(logits(fake).map((x) => -Math.log(1 - sigmoid(x)))) +
    mean(logits(real).map((x) => -Math.log(sigmoid(x))));
  near(adversarialLoss.discriminator!(step, { form: "bce" }), entropy / 2);
});

Deno.test("adversarialLoss has gradients, also at logits that saturate", () => {
  const far = tf.add(fake, 3) as tf.Tensor4D; // logits near 144
  const value = (x: tf.Tensor) => {
    const scales = [scaleOf(x as tf.Tensor4D, real)];
    return adversarialLoss.discriminator!(stepOf({ scales, discriminate }), { form: "bce" });
  };
  assertGradient(value, fake);
  assert.ok(numbers(tf.grad(value)(far)).every((x) => Math.abs(x - 1 / 8) < 1e-5));
});

Deno.test("adversarialLoss asks for a discriminator, and defaults to StyleGAN2's form", () => {
  assert.deepEqual(adversarialLoss.needs, { discriminator: true });
  assert.deepEqual(adversarialLoss.options.parse({}), { form: "non_saturating" });
});
