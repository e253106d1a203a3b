import * as tf from "@tensorflow/tfjs";

/**
 * Convolution with stride 1 whose output channels are multiplied by `factors`, if there are any.
 *
 * Factors `[1,Cout]` go into the kernel where that is the smaller tensor, else into the output.
 *
 * - Shapes: `x` `[N,H,W,Cin]`, `kernel` `[k,k,Cin,Cout]`, `factors` `[1 or N,Cout]` gives
 *   `[N,H',W',Cout]`.
 */
export function factoredConv(
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  factors?: tf.Tensor2D,
  padding: "same" | "valid" = "same",
): tf.Tensor4D {
  if (!factors) return tf.conv2d(x, kernel, 1, padding);
  const spread = tf.reshape(factors, [-1, 1, 1, factors.shape[1]]) as tf.Tensor4D;
  const [n, height, width] = x.shape;
  const [rows, columns, inChannels] = kernel.shape;
  const kernelIsSmaller = rows * columns * inChannels <= n * height * width;
  if (factors.shape[0] === 1 && kernelIsSmaller) {
    return tf.conv2d(x, tf.mul(kernel, spread) as tf.Tensor4D, 1, padding);
  }
  return tf.mul(tf.conv2d(x, kernel, 1, padding), spread);
}
