import * as tf from "@tensorflow/tfjs";
import { domainKernel } from "../core/domain_kernel.ts";

/**
 * Leaky ReLU with derivatives of any order (TensorFlow.js's own has only the first).
 *
 * - Shapes: any shape, kept. `alpha` is the slope below zero: 0.2 in StyleGAN2 and MobileStyleGAN.
 *
 * @example
 * ```ts
 * import { leakyRelu, tf } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual([...leakyRelu(tf.tensor1d([-5, 5])).dataSync()], [-1, 5]);
 * ```
 */
export function leakyRelu<T extends tf.Tensor>(x: T, alpha = 0.2): T {
  return tf.customGrad((input, save) => {
    (save as tf.GradSaveFunc)([input as tf.Tensor]);
    return {
      value: tf.leakyRelu(input as tf.Tensor, alpha),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => leakyReluGradient(dy, saved[0]!, alpha),
    };
  })(x) as T;
}

/** `dy` where `x` is positive, `alpha dy` elsewhere: linear in `dy`, constant in `x`. */
function leakyReluGradient(dy: tf.Tensor, x: tf.Tensor, alpha: number): tf.Tensor {
  return tf.customGrad((upstream, input, save) => {
    (save as tf.GradSaveFunc)([input as tf.Tensor]);
    return {
      value: domainKernel(
        "LeakyReluGradient",
        { dy: upstream as tf.Tensor, x: input as tf.Tensor },
        { alpha },
        () => tf.mul(upstream as tf.Tensor, tf.step(input as tf.Tensor, alpha)),
      ),
      gradFunc: (ddy: tf.Tensor, saved: tf.Tensor[]) => [
        leakyReluGradient(ddy, saved[0]!, alpha),
        tf.zerosLike(saved[0]!),
      ],
    };
  })(dy, x);
}
