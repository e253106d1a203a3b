/** Normalization over batches and neighbouring channels. @module */
import * as tf from "@tensorflow/tfjs";
import type { Rule } from "../rule.ts";

/** Sums over the channels at most `radius` away, as a 1x1 convolution with a constant band. */
function neighbours(x: tf.Tensor, radius: number): tf.Tensor {
  const channels = x.shape.at(-1)!;
  const band = Array.from(
    { length: channels * channels },
    (_, i) => Math.abs(Math.floor(i / channels) - i % channels) <= radius ? 1 : 0,
  );
  return tf.conv2d(
    x as tf.Tensor4D,
    tf.tensor4d(band, [1, 1, channels, channels]),
    1,
    "valid",
  );
}

/** Rules of this family. */
export const normalizationRules: readonly Rule[] = [
  {
    kernel: "FusedBatchNorm",
    compose({ x, mean, variance, scale, offset }, { varianceEpsilon }) {
      const deviation = tf.rsqrt(tf.add(variance!, varianceEpsilon ?? 1e-3));
      const factor = scale ? tf.mul(scale, deviation) : deviation;
      const normal = tf.mul(tf.sub(x!, mean!), factor);
      return offset ? tf.add(normal, offset) : normal;
    },
  },
  {
    kernel: "LRN",
    inputs: ["x"],
    infer: ([x]) => x!,
    lower({ inputs: [x], attributes, outputs: [out] }, l) {
      const { depthRadius, bias, alpha, beta } = attributes;
      const size = 2 * depthRadius + 1;
      const name = l.emit("LRN", [l.get(x!, "channelsFirst")], {
        size,
        alpha: { float: alpha * size }, // ONNX means the average over the window
        beta: { float: beta },
        bias: { float: bias },
      });
      l.put(out!, name, "channelsFirst");
    },
  },
  {
    kernel: "LRNGrad",
    // y = x n^-beta with n = bias + alpha sum(x^2) over the neighbours.
    compose({ x, y, dy }, { depthRadius, bias, alpha, beta }) {
      const n = tf.add(tf.mul(neighbours(tf.square(x!), depthRadius), alpha), bias);
      const direct = tf.mul(dy!, tf.pow(n, -beta));
      const through = neighbours(tf.div(tf.mul(dy!, y!), n), depthRadius);
      return tf.sub(direct, tf.mul(tf.mul(x!, through), 2 * alpha * beta));
    },
  },
];
