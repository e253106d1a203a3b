import * as tf from "@tensorflow/tfjs";
import { blurAfterUpConv } from "./fir.ts";

/**
 * Doubles a feature map by StyleGAN2's up-convolution: a transposed 3x3 convolution of stride 2, and
 * the low-pass filter.
 *
 * Equal to `tf.conv2d(upsampleForConv(x), kernel, 1, "valid")`, in whose terms the kernel is a
 * correlation, with a quarter of the multiply-adds.
 *
 * - Shapes: `x` `[N,H,W,in]`, `kernel` `[3,3,in,out]` gives `[N,2H,2W,out]`.
 * - Source: Karras et al., CVPR 2020, appendix B.
 */
export function upConv(x: tf.Tensor4D, kernel: tf.Tensor4D): tf.Tensor4D {
  const [n, height, width] = x.shape;
  const outChannels = kernel.shape[3];
  const turned = tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2]); // [3,3,out,in]
  const shape: [number, number, number, number] = [n, 2 * height + 1, 2 * width + 1, outChannels];
  return blurAfterUpConv(tf.conv2dTranspose(x, turned, shape, 2, "valid"));
}
