import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { adam, adamRates, averageDecay, clipNorm, movingAverage } from "../../core/optimiser.ts";

const near = (actual: tf.Tensor, expected: readonly number[]) =>
  actual.dataSync().forEach((value, i) =>
    assert.ok(Math.abs(value - expected[i]!) <= 1e-6 * Math.max(1, Math.abs(expected[i]!)))
  );

Deno.test("adam() first moves every weight by the rate, whatever the size of its gradient", () => {
  const settings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
  const { rate, powerCorrection } = adamRates(0.5, 1, settings);
  const rates = { rate: tf.scalar(rate), powerCorrection: tf.scalar(powerCorrection) };
  const zeros = tf.zeros([3]);
  const state = { weights: tf.tensor1d([1, 2, 3]), mean: zeros, power: zeros };
  const next = adam(state, tf.tensor1d([100, -0.01, 1]), rates, settings);
  near(next.weights, [0.5, 2.5, 2.5]);
  near(next.mean!, [10, -0.001, 0.1]);
  near(next.power, [10, 1e-7, 0.001]);
  const { mean: _, ...plain } = state;
  assert.equal("mean" in adam(plain, zeros, rates, { ...settings, beta1: 0 }), false);
});

Deno.test("clipNorm() shortens a long gradient and leaves a short one", () => {
  const { clipped, norm } = clipNorm(tf.tensor1d([3, 4]), 1);
  near(clipped, [0.6, 0.8]);
  near(norm, [5]);
  near(clipNorm(tf.tensor1d([3, 4]), 10).clipped, [3, 4]);
});

Deno.test("movingAverage() keeps the share that decays of the average", () => {
  near(movingAverage(tf.tensor1d([1]), tf.tensor1d([3]), tf.scalar(0.25)), [2.5]);
});

Deno.test("averageDecay() halves after the half-life, and forgets at once without one", () => {
  assert.ok(Math.abs(averageDecay(16, 2) ** 125 - 0.5) < 1e-12);
  assert.equal(averageDecay(16, 0), 0);
});
