/**
 * The built-in parts, which are a plugin like any other, and the registry that starts with them.
 *
 * @module
 */
import { definePlugin } from "./core/define.ts";
import { createRegistryOf, type PartsOf, type Registry } from "./core/registry.ts";
import { modulatedConv } from "./layers/conv/modulated.ts";
import { separableModulatedConv } from "./layers/conv/separable_modulated.ts";
import { frozenDemodulation } from "./layers/demodulation/frozen.ts";
import { styledDemodulation } from "./layers/demodulation/styled.ts";
import { trainableDemodulation } from "./layers/demodulation/trainable.ts";
import { singleHead } from "./layers/head/single.ts";
import { skipHead } from "./layers/head/skip.ts";
import { bilinearUpscale } from "./layers/upscale/bilinear.ts";
import { convTransposeUpscale } from "./layers/upscale/conv_transpose.ts";
import { idwtUpscale } from "./layers/upscale/idwt.ts";
import { adversarialLoss } from "./losses/adversarial.ts";
import { bandSmoothnessLoss } from "./losses/band_smoothness.ts";
import { pathLengthLoss } from "./losses/path_length.ts";
import { perceptualLoss } from "./losses/perceptual.ts";
import { pixelLoss } from "./losses/pixel.ts";
import { r1Loss } from "./losses/r1.ts";
import { waveletLoss } from "./losses/wavelet.ts";
import { costMetric } from "./metrics/cost.ts";
import { distanceMetric } from "./metrics/distance.ts";
import { fidMetric } from "./metrics/fid.ts";
import { kidMetric } from "./metrics/kid.ts";
import { pplMetric } from "./metrics/ppl.ts";
import { precisionRecallMetric } from "./metrics/precision_recall.ts";
import { swdMetric } from "./metrics/swd.ts";

/** The type of {@linkcode builtin}: every built-in part by kind. */
export interface Builtin {
  /** Its name. */
  readonly name: "haarlem";
  /** Upsampling parts. */
  readonly upscales: readonly [
    typeof idwtUpscale,
    typeof convTransposeUpscale,
    typeof bilinearUpscale,
  ];
  /** Convolutions. */
  readonly convs: readonly [typeof separableModulatedConv, typeof modulatedConv];
  /** Demodulations. */
  readonly demodulations: readonly [
    typeof styledDemodulation,
    typeof trainableDemodulation,
    typeof frozenDemodulation,
  ];
  /** Heads. */
  readonly heads: readonly [typeof singleHead, typeof skipHead];
  /** Losses. */
  readonly losses: readonly [
    typeof pixelLoss,
    typeof waveletLoss,
    typeof perceptualLoss,
    typeof adversarialLoss,
    typeof r1Loss,
    typeof bandSmoothnessLoss,
    typeof pathLengthLoss,
  ];
  /** The built-in metrics. */
  readonly metrics: readonly [
    typeof fidMetric,
    typeof kidMetric,
    typeof swdMetric,
    typeof precisionRecallMetric,
    typeof pplMetric,
    typeof distanceMetric,
    typeof costMetric,
  ];
}

/** The plugin of the built-in parts; the only one whose names have no slash. */
export const builtin: Builtin = definePlugin({
  name: "haarlem",
  upscales: [idwtUpscale, convTransposeUpscale, bilinearUpscale],
  convs: [separableModulatedConv, modulatedConv],
  demodulations: [styledDemodulation, trainableDemodulation, frozenDemodulation],
  heads: [singleHead, skipHead],
  losses: [
    pixelLoss,
    waveletLoss,
    perceptualLoss,
    adversarialLoss,
    r1Loss,
    bandSmoothnessLoss,
    pathLengthLoss,
  ],
  metrics: [
    fidMetric,
    kidMetric,
    swdMetric,
    precisionRecallMetric,
    pplMetric,
    distanceMetric,
    costMetric,
  ],
});

/**
 * Makes a registry of the built-in parts; `use` adds those of plugins.
 *
 * @example The built-in upsampling parts
 * ```ts
 * import { createRegistry } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const names = createRegistry().list("upscale").map(({ name }) => name);
 * assert.deepEqual(names, ["idwt", "conv_transpose", "bilinear"]);
 * ```
 */
export function createRegistry(): Registry<PartsOf<Builtin>> {
  return createRegistryOf(builtin);
}
