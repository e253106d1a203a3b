import { bilinearMatrix } from "../../core/axis_matrix.ts";
import type { Upscale } from "../../core/contracts.ts";
import { defineUpscale } from "../../core/define.ts";
import { type NoOptions, noOptions } from "../no_options.ts";
import { initPlainStyle, modulate, plainStyle, type PlainStyleWeight } from "../plain_style.ts";
import { resample } from "../resample.ts";

/**
 * Bilinear upsampling, which has no parameters, of channels scaled by the style.
 *
 * C channels give C. Corners are not aligned. Weights: `style.weight` `[D,C]`, `style.bias` `[C]`.
 */
export const bilinearUpscale: Upscale<"bilinear", NoOptions, PlainStyleWeight> = defineUpscale({
  name: "bilinear",
  summary: "bilinear upsampling of style-scaled channels, C to C",
  source: "textbook; the upsampling that MobileStyleGAN, arXiv:2104.04767, replaces",
  options: noOptions,
  outChannels: (channels) => channels,
  init: initPlainStyle,
  apply(params, { x, style }) {
    const [, height, width] = x.shape;
    const double = (size: number) => bilinearMatrix(size, 2 * size, { alignCorners: false });
    return resample(modulate(x, plainStyle(params, style)), double(height), double(width));
  },
  multiplyAdds({ channels, styleDim, sizePx }) {
    return {
      convolution: 0,
      style: styleDim * channels,
      filter: 4 * channels * sizePx ** 2, // four neighbours of every output pixel
    };
  },
});
