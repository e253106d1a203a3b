import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createRandom } from "../../../core/random.ts";
import { trainableDemodulation } from "../../../layers/demodulation/trainable.ts";
import { assertClose, tidy } from "../../golden.ts";

Deno.test("trainableDemodulation has one trained coefficient per input channel, at first 1", () => {
  const weights = trainableDemodulation.init({ inChannels: 3 }, createRandom(1, "x"), {});
  assert.deepEqual(weights, { coefficients: { shape: [3], data: Float32Array.of(1, 1, 1) } });
  assert.equal(trainableDemodulation.buffers, undefined);
});

Deno.test("trainableDemodulation ignores the style", () =>
  tidy(() => {
    const energy = tf.tensor2d([[1, 2], [3, 0.25]]);
    const modulation = tf.tensor2d([[5, 6], [7, 8], [9, 10]]);
    const coefficients = tf.tensor1d([-1, 2]);
    const factors = trainableDemodulation.apply({ coefficients }, { energy, modulation }, {});
    const data = Float32Array.of(1 / Math.sqrt(13), 1 / Math.sqrt(3));
    assertClose(factors, { shape: [1, 2], data }, 1e-6);
  }));
