import * as tf from "@tensorflow/tfjs";

const EPSILON = 1e-8; // as in all reference codes

/**
 * Demodulation factors that do not depend on the style: `d_j = rsqrt(sum_i p_i^2 energy_ij + 1e-8)`.
 *
 * - Shapes: `coefficients` `[Cin]`, `energy` `[Cin,Cout]` gives `[1,Cout]`.
 * - Source: MobileStyleGAN, arXiv:2104.04767, section 3.3.
 */
export function constantFactors(coefficients: tf.Tensor, energy: tf.Tensor2D): tf.Tensor2D {
  const squared = tf.reshape(tf.square(coefficients), [1, -1]) as tf.Tensor2D;
  return tf.rsqrt(tf.add(tf.matMul(squared, energy), EPSILON));
}
