import type { Upscale } from "../../core/contracts.ts";
import { defineUpscale } from "../../core/define.ts";
import { inverseHaar } from "../haar.ts";
import { type NoOptions, noOptions } from "../no_options.ts";
import { initPlainStyle, modulate, plainStyle, type PlainStyleWeight } from "../plain_style.ts";

/**
 * The paper's upsampling: channels scaled by the style, then read as wavelet bands and merged.
 *
 * C channels give C / 4. Weights: `style.weight` `[D,C]`, `style.bias` `[C]`.
 */
export const idwtUpscale: Upscale<"idwt", NoOptions, PlainStyleWeight> = defineUpscale({
  name: "idwt",
  summary: "the paper's upsampling: inverse Haar transform of style-scaled channels, C to C/4",
  source: "MobileStyleGAN, arXiv:2104.04767, section 3.2",
  options: noOptions,
  outChannels(channels) {
    if (channels % 4 !== 0) {
      throw new RangeError(
        `Cannot use upscale "idwt": expected channels that are a multiple of 4 but received ${channels}`,
      );
    }
    return channels / 4;
  },
  init: initPlainStyle,
  apply: (params, { x, style }) => inverseHaar(modulate(x, plainStyle(params, style))),
  multiplyAdds: ({ channels, styleDim }) => ({ convolution: 0, style: styleDim * channels }),
});
