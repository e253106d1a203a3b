import type { Head } from "../../core/contracts.ts";
import { defineHead } from "../../core/define.ts";
import {
  headMultiplyAdds,
  type HeadOptions,
  headOptions,
  type HeadWeight,
  initHead,
  predictBands,
} from "../band_head.ts";

/**
 * The paper's head: every scale predicts the bands of its whole image; the last one is the output,
 * the others are auxiliary and dropped at export.
 *
 * Weights: `weight` `[1,1,C,12]`, `bias` `[12]`, `style.weight` `[D,C]`, `style.bias` `[C]`.
 */
export const singleHead: Head<"single", HeadOptions, HeadWeight> = defineHead({
  name: "single",
  summary: "the paper's head: each scale predicts its whole image, the last is the output",
  source: "MobileStyleGAN, arXiv:2104.04767, section 3.1",
  options: headOptions,
  usesPrevious: false,
  init: initHead,
  apply: (params, { x, style }) => predictBands(params, { x, style }),
  multiplyAdds: headMultiplyAdds,
});
