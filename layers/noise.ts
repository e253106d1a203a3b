import * as tf from "@tensorflow/tfjs";

/**
 * Bias and noise of a layer as one small term to add to its features: `gain (bias + strength noise)`.
 *
 * A noise map shared by the batch gives `[1,H,W,C]`: one pass over the features adds both. Without
 * noise the term is `[C]`.
 *
 * - Shapes: `bias` `[C]`, `strength` `[1]`, `noise` `[1 or N,H,W,1]`.
 * - Source: StyleGAN, CVPR 2019, section 3; one strength per layer as in StyleGAN2.
 */
export function noiseAndBias(
  { bias, strength, noise }: {
    readonly bias: tf.Tensor;
    readonly strength: tf.Tensor;
    readonly noise?: tf.Tensor4D | undefined;
  },
  gain = 1,
): tf.Tensor {
  const scaledBias = gain === 1 ? bias : tf.mul(bias, gain);
  if (!noise) return scaledBias;
  const scaledStrength = gain === 1 ? strength : tf.mul(strength, gain);
  return tf.add(tf.mul(noise, scaledStrength), scaledBias);
}
