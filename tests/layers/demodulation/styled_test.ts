import * as tf from "@tensorflow/tfjs";
import { styledDemodulation } from "../../../layers/demodulation/styled.ts";
import { assertClose, tidy } from "../../golden.ts";

Deno.test("styledDemodulation gives a row for every style", () =>
  tidy(() => {
    const energy = tf.tensor2d([[1, 2, 0], [3, 0.25, 0]]);
    const modulation = tf.tensor2d([[1, 1], [-1, 2]]);
    const factors = styledDemodulation.apply({}, { energy, modulation }, {});
    // rsqrt(1 + 3), rsqrt(2 + 0.25), rsqrt(1e-8); rsqrt(1 + 12), rsqrt(2 + 1), rsqrt(1e-8)
    const data = Float32Array.of(0.5, 1 / 1.5, 1e4, 1 / Math.sqrt(13), 1 / Math.sqrt(3), 1e4);
    assertClose(factors, { shape: [2, 3], data }, 1e-6);
    assertClose(tf.slice(factors, [0, 0], [2, 2]), {
      shape: [2, 2],
      data: Float32Array.of(data[0]!, data[1]!, data[3]!, data[4]!),
    }, 1e-6);
  }));
