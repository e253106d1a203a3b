import type * as tf from "@tensorflow/tfjs";
import { upfirdnMatrix, type UpfirdnOptions } from "../core/axis_matrix.ts";
import { resample } from "./resample.ts";

/* The places where StyleGAN2 filters by [1,3,3,1] (Karras et al., CVPR 2020, appendix B).
 * `gain` is per axis: 2 makes up for the zeros that upsampling inserts. */
const taps = [1 / 8, 3 / 8, 3 / 8, 1 / 8];

function filtered(x: tf.Tensor4D, options: Omit<UpfirdnOptions, "taps">): tf.Tensor4D {
  const [, height, width] = x.shape;
  return resample(
    x,
    upfirdnMatrix(height, { ...options, taps }),
    upfirdnMatrix(width, { ...options, taps }),
  );
}

/** Doubles an RGB image for the skip of the generator: `[N,H,W,C]` to `[N,2H,2W,C]`. */
export function upsampleSkip(x: tf.Tensor4D): tf.Tensor4D {
  return filtered(x, { up: 2, pad: [2, 1], gain: 2 });
}

/**
 * Doubles a feature map for a 3x3 convolution without padding: `[N,H,W,C]` to `[N,2H+2,2W+2,C]`.
 *
 * With that convolution it equals StyleGAN2's transposed convolution of stride 2 followed by the
 * blur: both are zero-insertion, filter and kernel, which commute.
 */
export function upsampleForConv(x: tf.Tensor4D): tf.Tensor4D {
  return filtered(x, { up: 2, pad: [3, 2], gain: 2 });
}

/** Filters a transposed 3x3 convolution of stride 2: `[N,2H+1,2W+1,C]` to `[N,2H,2W,C]`. */
export function blurAfterUpConv(x: tf.Tensor4D): tf.Tensor4D {
  return filtered(x, { pad: [1, 1], gain: 2 });
}

/** Blurs before a 3x3 convolution of stride 2 without padding: `[N,H,W,C]` to `[N,H+1,W+1,C]`. */
export function blurForStride2(x: tf.Tensor4D): tf.Tensor4D {
  return filtered(x, { pad: [2, 2] });
}

/** Halves an image or feature map: `[N,H,W,C]` to `[N,H/2,W/2,C]`. */
export function downsample(x: tf.Tensor4D): tf.Tensor4D {
  return filtered(x, { down: 2, pad: [1, 1] });
}
