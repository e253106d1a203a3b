import * as tf from "@tensorflow/tfjs";
import { upfirdnMatrix } from "../../../core/axis_matrix.ts";
import { resample } from "../../../layers/resample.ts";
import { convTransposeUpscale } from "../../../layers/upscale/conv_transpose.ts";
import { assertClose, tidy } from "../../golden.ts";

Deno.test("convTransposeUpscale equals StyleGAN2's transposed convolution and blur", () =>
  tidy(() => {
    const [n, size, channels] = [2, 4, 3];
    const x = tf.randomNormal<tf.Rank.R4>([n, size, size, channels], 0, 1, "float32", 1);
    const style = tf.tensor2d([[1, 2], [3, -4]]);
    const weight = tf.randomNormal<tf.Rank.R4>([3, 3, channels, channels], 0, 1, "float32", 2);
    const params = {
      weight,
      "style.weight": tf.randomNormal([2, channels], 0, 1, "float32", 3),
      "style.bias": tf.ones([channels]),
    };
    const y = convTransposeUpscale.apply(params, { x, style }, {});

    // Equations 1 to 3 of StyleGAN2, with a kernel per sample; tfjs wants [k,k,out,in].
    const s = tf.add(tf.matMul(style, params["style.weight"]), 1);
    const samples = tf.unstack(s).map((row, i) => {
      const scaled = tf.mul(weight, tf.reshape(tf.div(row, Math.sqrt(27)), [1, 1, channels, 1]));
      const norm = tf.sqrt(tf.add(tf.sum(tf.square(scaled), [0, 1, 2]), 1e-8));
      const kernel = tf.reverse(tf.transpose(tf.div(scaled, norm), [0, 1, 3, 2]), [0, 1]);
      const sample = tf.slice(x, i, 1);
      const wide = tf.conv2dTranspose(
        sample,
        kernel as tf.Tensor4D,
        [1, 2 * size + 1, 2 * size + 1, channels],
        2,
        "valid",
      );
      const blur = upfirdnMatrix(2 * size + 1, {
        pad: [1, 1],
        taps: [1 / 8, 3 / 8, 3 / 8, 1 / 8],
        gain: 2,
      });
      return resample(wide, blur, blur);
    });
    const expected = tf.concat(samples, 0);
    assertClose(y, {
      shape: [n, 2 * size, 2 * size, channels],
      data: expected.dataSync<"float32">(),
    });
  }));
