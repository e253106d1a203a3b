import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createRandom } from "../../../core/random.ts";
import { frozenDemodulation } from "../../../layers/demodulation/frozen.ts";
import { assertClose, golden, hwio, permuted, squeezed, tensor, tidy } from "../../golden.ts";

Deno.test("frozenDemodulation draws coefficients that are not trained", () => {
  const { coefficients } = frozenDemodulation.init({ inChannels: 4000 }, createRandom(1, "p"), {});
  const power = coefficients.data.reduce((sum, p) => sum + p * p, 0) / 4000;
  assert.ok(Math.abs(power - 1) < 0.1, `${power}`);
  assert.deepEqual(frozenDemodulation.buffers, ["coefficients"]);
});

Deno.test("frozenDemodulation equals the author's factors of both convolutions", () =>
  tidy(() => {
    const scale = 1 / Math.sqrt(9 * 12);
    const dense = tensor<tf.Rank.R4>(hwio(golden("layers/dense/weight")));
    const depthwise = tensor<tf.Rank.R4>(permuted(golden("layers/dw/weight_dw"), [2, 3, 1, 0]));
    const pointwise = tensor<tf.Rank.R4>(hwio(golden("layers/dw/weight_permute")));
    const separable = tf.mul(tf.reshape(depthwise, [3, 3, 12, 1]), pointwise);
    const kernels = { "layers/dense": dense, "layers/dw": separable };
    for (const [layer, kernel] of Object.entries(kernels)) {
      const coefficients = tensor(squeezed(golden(`${layer}/style_inv`)));
      const energy = tf.mul(tf.sum(tf.square(kernel), [0, 1]), scale ** 2) as tf.Tensor2D;
      const inputs = { energy, modulation: tf.zeros<tf.Rank.R2>([2, 12]) };
      const factors = frozenDemodulation.apply({ coefficients }, inputs, {});
      const { data } = golden(`${layer}/demodulation_vec`);
      assertClose(factors, { shape: [1, 10], data }, 1e-6);
    }
  }));
