import * as tf from "@tensorflow/tfjs";
import type { Head } from "../../core/contracts.ts";
import { defineHead } from "../../core/define.ts";
import { inverseHaar } from "../haar.ts";
import {
  headMultiplyAdds,
  type HeadOptions,
  headOptions,
  type HeadWeight,
  initHead,
  predictBands,
} from "../band_head.ts";

/**
 * A head that refines the scale below: `F_s = own head`, plus `2 IDWT(F_(s-1))` on its LL.
 *
 * The image of the scale below, in wavelet units (LL is twice the image), is the start of this
 * one's low band. No head is auxiliary: all of them are the output. Weights as `singleHead`.
 */
export const skipHead: Head<"skip", HeadOptions, HeadWeight> = defineHead({
  name: "skip",
  summary: "each scale adds its bands to the image of the scale below",
  source: "StyleGAN2's skip generator (Karras et al., CVPR 2020, figure 7b) in wavelet bands",
  options: headOptions,
  usesPrevious: true,
  init: initHead,
  apply(params, { x, style, previous }) {
    const bands = predictBands(params, { x, style });
    if (!previous) return bands;
    const low = tf.mul(inverseHaar(previous), 2) as tf.Tensor4D; // [N,H,W,3]
    return tf.add(bands, tf.pad(low, [[0, 0], [0, 0], [0, 0], [0, bands.shape[3] - 3]]));
  },
  multiplyAdds: headMultiplyAdds,
});
