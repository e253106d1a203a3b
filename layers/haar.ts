import * as tf from "@tensorflow/tfjs";
import { domainKernel } from "../core/domain_kernel.ts";
import { haarMatrix } from "../core/haar_matrix.ts";

const HAAR = haarMatrix.map((row) => [...row]); // as TensorFlow.js's types want it

/**
 * Splits an image into its four half-size wavelet bands: the 2-D Haar transform.
 *
 * Orthonormal: the sum of squares is kept, and {@linkcode inverseHaar} undoes it.
 *
 * - Shapes: `x` `[N,H,W,C]`, H and W even, gives `[N,H/2,W/2,4C]`: C low bands (LL), then LH, HL, HH
 *   of the first channel, of the second, ... (channel `C + 3c + k`).
 * - Units: those of the image. A constant image of value v has LL = 2v.
 * - Source: MobileStyleGAN, arXiv:2104.04767, section 3.1; band order of the author's code (`db1`).
 *
 * @throws {RangeError} If height or width is odd.
 *
 * @example A flat image
 * ```ts
 * import { haar, tf } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual([...haar(tf.ones([1, 2, 2, 1])).dataSync()], [2, 0, 0, 0]);
 * ```
 */
export function haar(x: tf.Tensor4D): tf.Tensor4D {
  const [, height, width] = x.shape;
  if (height % 2 !== 0 || width % 2 !== 0) {
    throw new RangeError(
      `Cannot apply haar(): expected x of shape [N,H,W,C] with even H and W but received [${x.shape}]`,
    );
  }
  return tf.customGrad((input) => ({
    value: domainKernel("Haar", { x: input as tf.Tensor }, {}, () => split(input as tf.Tensor4D)),
    gradFunc: (dy: tf.Tensor) => inverseHaar(dy as tf.Tensor4D),
  }))(x) as tf.Tensor4D;
}

/**
 * Merges four half-size wavelet bands into one image: the inverse 2-D Haar transform.
 *
 * - Shapes: `x` `[N,H,W,4C]` gives `[N,2H,2W,C]`; channels as {@linkcode haar} orders them.
 * - Source: MobileStyleGAN, arXiv:2104.04767, section 3.1; band order of the author's code (`db1`).
 *
 * @throws {RangeError} If the number of channels is not a multiple of 4.
 *
 * @example The identity
 * ```ts
 * import { haar, inverseHaar, tf } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const x = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);
 * assert.deepEqual([...inverseHaar(haar(x)).dataSync()], [1, 2, 3, 4]);
 * ```
 */
export function inverseHaar(x: tf.Tensor4D): tf.Tensor4D {
  if (x.shape[3] % 4 !== 0) {
    throw new RangeError(
      `Cannot apply inverseHaar(): expected x of shape [N,H,W,4C] but received [${x.shape}]`,
    );
  }
  return tf.customGrad((input) => ({
    value: domainKernel(
      "InverseHaar",
      { x: input as tf.Tensor },
      {},
      () => merge(input as tf.Tensor4D),
    ),
    gradFunc: (dy: tf.Tensor) => haar(dy as tf.Tensor4D),
  }))(x) as tf.Tensor4D;
}

function split(x: tf.Tensor4D): tf.Tensor {
  const [n, height, width, c] = x.shape;
  const [h, w] = [height / 2, width / 2];
  const cells = tf.transpose(tf.reshape(x, [n, h, 2, w, 2, c]), [0, 1, 3, 5, 2, 4]);
  const bands = tf.reshape(tf.matMul(tf.reshape(cells, [-1, 4]), tf.tensor2d(HAAR)), [
    n,
    h,
    w,
    c,
    4,
  ]);
  const [low, high] = tf.split(bands, [1, 3], 4); // [N,h,w,C,1], [N,h,w,C,3]
  return tf.concat([tf.reshape(low!, [n, h, w, c]), tf.reshape(high!, [n, h, w, 3 * c])], 3);
}

function merge(x: tf.Tensor4D): tf.Tensor {
  const [n, h, w, channels] = x.shape;
  const c = channels / 4;
  const [low, high] = tf.split(x, [c, 3 * c], 3);
  const bands = tf.concat(
    [tf.reshape(low!, [n, h, w, c, 1]), tf.reshape(high!, [n, h, w, c, 3])],
    4,
  );
  const cells = tf.matMul(tf.reshape(bands, [-1, 4]), tf.tensor2d(HAAR));
  const pixels = tf.transpose(tf.reshape(cells, [n, h, w, c, 2, 2]), [0, 1, 4, 2, 5, 3]);
  return tf.reshape(pixels, [n, 2 * h, 2 * w, c]);
}
