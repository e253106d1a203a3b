/** Normalization over batches and neighbouring channels. @module */
import * as tf from "@tensorflow/tfjs";
import type { Attributes } from "../program.ts";
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

/** What a pixel's channels are divided by, but for the exponent. */
function normOf(x: tf.Tensor, { depthRadius, bias, alpha }: Attributes): tf.Tensor {
  return tf.add(tf.mul(neighbours(tf.square(x), depthRadius), alpha), bias);
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
    // Not ONNX's LRN: OpenVINO's is wrong for most exponents.
    compose: ({ x }, attributes) => tf.mul(x!, tf.pow(normOf(x!, attributes), -attributes["beta"])),
  },
  {
    kernel: "LRNGrad",
    compose({ x, y, dy }, attributes) {
      const { depthRadius, alpha, beta } = attributes;
      const n = normOf(x!, attributes); // y = x n^-beta
      const direct = tf.mul(dy!, tf.pow(n, -beta));
      const through = neighbours(tf.div(tf.mul(dy!, y!), n), depthRadius);
      return tf.sub(direct, tf.mul(tf.mul(x!, through), 2 * alpha * beta));
    },
  },
];
