import type { Demodulation } from "../../core/contracts.ts";
import { defineDemodulation } from "../../core/define.ts";
import { constantFactors } from "../constant_factors.ts";
import { type NoOptions, noOptions } from "../no_options.ts";

/**
 * Demodulation by random coefficients, drawn once, saved and never trained:
 * `d_j = rsqrt(sum_i p_i^2 energy_ij + 1e-8)`.
 *
 * What the author's code does (its buffer `style_inv`). Export merges the factors into weights.
 */
export const frozenDemodulation: Demodulation<"frozen", NoOptions, "coefficients"> =
  defineDemodulation({
    name: "frozen",
    summary: "the author's demodulation: random constant coefficients, fused at export",
    source: "bes-dev/MobileStyleGAN.pytorch, `style_inv` of the modulated convolutions",
    options: noOptions,
    buffers: ["coefficients"],
    init: ({ inChannels }, random) => ({ coefficients: random.normal([inChannels]) }),
    apply: ({ coefficients }, { energy }) => constantFactors(coefficients, energy),
  });
