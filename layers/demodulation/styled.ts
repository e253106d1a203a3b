import * as tf from "@tensorflow/tfjs";
import type { Demodulation } from "../../core/contracts.ts";
import { defineDemodulation } from "../../core/define.ts";
import { type NoOptions, noOptions } from "../no_options.ts";

const EPSILON = 1e-8; // as in all reference codes

/**
 * Demodulation by the style of each image: `d_j = rsqrt(sum_i s_i^2 energy_ij + 1e-8)`.
 *
 * StyleGAN2's own. It differs from image to image, so that export cannot merge it into weights.
 */
export const styledDemodulation: Demodulation<"styled", NoOptions, never> = defineDemodulation({
  name: "styled",
  summary: "StyleGAN2's demodulation: depends on the style, cannot be fused",
  source: "Karras et al., CVPR 2020, equation 3",
  options: noOptions,
  init: () => ({}),
  apply(_, { energy, modulation }) { // [Cin,Cout], [N,Cin] -> [N,Cout]
    return tf.rsqrt(tf.add(tf.matMul(tf.square(modulation), energy), EPSILON));
  },
});
