import type { Demodulation } from "../../core/contracts.ts";
import { defineDemodulation } from "../../core/define.ts";
import { constantFactors } from "../constant_factors.ts";
import { type NoOptions, noOptions } from "../no_options.ts";

/**
 * Demodulation by trained coefficients in place of the style's:
 * `d_j = rsqrt(sum_i p_i^2 energy_ij + 1e-8)`.
 *
 * The coefficients start at 1, as the style's do (bias 1). Export merges the factors into weights.
 */
export const trainableDemodulation: Demodulation<"trainable", NoOptions, "coefficients"> =
  defineDemodulation({
    name: "trainable",
    summary: "the paper's demodulation: style coefficients become parameters, fused at export",
    source: "MobileStyleGAN, arXiv:2104.04767, section 3.3",
    options: noOptions,
    init({ inChannels }) {
      return {
        coefficients: { shape: [inChannels], data: new Float32Array(inChannels).fill(1) },
      };
    },
    apply: ({ coefficients }, { energy }) => constantFactors(coefficients, energy),
  });
