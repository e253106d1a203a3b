import type { Head } from "../core/contracts.ts";
import { defineHead } from "../core/define.ts";
import {
  headMultiplyAdds,
  type HeadOptions,
  headOptions,
  type HeadWeight,
  initHead,
  predictBands,
} from "./band_head.ts";

const COLORS = 3;

/**
 * The head `single` with three outputs, for a student in the pixel domain. It is not registered: heads
 * of the registry predict wavelet bands, and an image is no such thing.
 *
 * Weights: `weight` `[1,1,C,3]`, `bias` `[3]`, `style.weight` `[D,C]`, `style.bias` `[C]`.
 */
export const rgbHead: Head<"rgb", HeadOptions, HeadWeight> = defineHead({
  name: "rgb",
  summary: "predicts colours at the size of its features; for the ablation of the wavelet domain",
  source: "Karras et al., CVPR 2020, figure 7 (tRGB), with the student's plain style",
  options: headOptions,
  usesPrevious: false,
  init: (dims, random, options) => initHead({ ...dims, outputs: COLORS }, random, options),
  apply: (params, { x, style }) => predictBands(params, { x, style }),
  multiplyAdds: (dims) => headMultiplyAdds({ ...dims, outputs: COLORS }),
});
