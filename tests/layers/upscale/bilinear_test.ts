import * as tf from "@tensorflow/tfjs";
import { bilinearUpscale } from "../../../layers/upscale/bilinear.ts";
import { assertClose, tidy } from "../../golden.ts";

Deno.test("bilinearUpscale equals tf.image.resizeBilinear of scaled channels", () =>
  tidy(() => {
    const x = tf.randomNormal<tf.Rank.R4>([2, 3, 4, 5], 0, 1, "float32", 1);
    const style = tf.tensor2d([[1, 2], [3, -4]]);
    const params = {
      "style.weight": tf.randomNormal([2, 5], 0, 1, "float32", 2),
      "style.bias": tf.ones([5]),
    };
    const factors = tf.add(tf.matMul(style, params["style.weight"]), 1);
    const scaled = tf.mul(x, tf.reshape(factors, [2, 1, 1, 5])) as tf.Tensor4D;
    const expected = tf.image.resizeBilinear(scaled, [6, 8], false, true);
    const y = bilinearUpscale.apply(params, { x, style }, {});
    assertClose(y, { shape: [2, 6, 8, 5], data: expected.dataSync<"float32">() });
  }));
