import * as tf from "@tensorflow/tfjs";
import { bilinearMatrix } from "../core/axis_matrix.ts";
import type { Params } from "../core/contracts.ts";
import { under, weightOf } from "../core/params.ts";
import { leakyRelu } from "../layers/activation.ts";
import { resample } from "../layers/resample.ts";

/** Side in pixels of the images that the network was trained on. */
const INPUT_PX = 299;

/** A convolution of a block, its batch normalisation merged into it. */
type Conv = (
  name: string,
  x: tf.Tensor4D,
  options?: { readonly stride?: 1 | 2; readonly pad?: "same" | "valid" },
) => tf.Tensor4D;

function convOf(params: Params): Conv {
  return (name, x, { stride = 1, pad = "same" } = {}) => {
    const y = tf.conv2d(x, weightOf(params, `${name}.weight`), stride, pad);
    return leakyRelu(tf.add(y, weightOf(params, `${name}.bias`)), 0) as tf.Tensor4D;
  };
}

const half = { stride: 2, pad: "valid" } as const;
const maximum = (x: tf.Tensor4D) => tf.maxPool(x, 3, 2, "valid");
/** The mean of what lies in the image: FID's network does not count the padding. */
const average = (x: tf.Tensor4D) => tf.avgPool(x, 3, 1, "same");
const join = (branches: tf.Tensor4D[]) => tf.concat(branches, 3);

/** Convolutions one after the other. */
function chain(conv: Conv, x: tf.Tensor4D, ...names: string[]): tf.Tensor4D {
  return names.reduce((y, name) => conv(name, y), x);
}

function blockA(conv: Conv, x: tf.Tensor4D): tf.Tensor4D {
  return join([
    conv("branch1x1", x),
    chain(conv, x, "branch5x5_1", "branch5x5_2"),
    chain(conv, x, "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"),
    conv("branch_pool", average(x)),
  ]);
}

function blockB(conv: Conv, x: tf.Tensor4D): tf.Tensor4D {
  const inner = chain(conv, x, "branch3x3dbl_1", "branch3x3dbl_2");
  return join([conv("branch3x3", x, half), conv("branch3x3dbl_3", inner, half), maximum(x)]);
}

function blockC(conv: Conv, x: tf.Tensor4D): tf.Tensor4D {
  const five = [1, 2, 3, 4, 5].map((i) => `branch7x7dbl_${i}`);
  return join([
    conv("branch1x1", x),
    chain(conv, x, "branch7x7_1", "branch7x7_2", "branch7x7_3"),
    chain(conv, x, ...five),
    conv("branch_pool", average(x)),
  ]);
}

function blockD(conv: Conv, x: tf.Tensor4D): tf.Tensor4D {
  const inner = chain(conv, x, "branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3");
  return join([
    conv("branch3x3_2", conv("branch3x3_1", x), half),
    conv("branch7x7x3_4", inner, half),
    maximum(x),
  ]);
}

function blockE(conv: Conv, x: tf.Tensor4D, pool: (x: tf.Tensor4D) => tf.Tensor4D): tf.Tensor4D {
  const fork = (y: tf.Tensor4D, name: string) => [conv(`${name}a`, y), conv(`${name}b`, y)];
  return join([
    conv("branch1x1", x),
    ...fork(conv("branch3x3_1", x), "branch3x3_2"),
    ...fork(chain(conv, x, "branch3x3dbl_1", "branch3x3dbl_2"), "branch3x3dbl_3"),
    conv("branch_pool", pool(x)),
  ]);
}

/**
 * The output of every stage of FID's Inception, by the stage's name, in the order of the forward
 * pass: `Conv2d_1a_3x3` `[N,149,149,32]` to `Mixed_7c` `[N,8,8,2048]`.
 *
 * @see {@linkcode inceptionFeatures}
 */
export function inceptionStages(
  params: Params,
  image: tf.Tensor4D,
): Readonly<Record<string, tf.Tensor4D>> {
  const [, height, width] = image.shape;
  const rows = bilinearMatrix(height, INPUT_PX, { alignCorners: false });
  const columns = bilinearMatrix(width, INPUT_PX, { alignCorners: false });
  const stages: Record<string, tf.Tensor4D> = {};
  let x = height === INPUT_PX && width === INPUT_PX ? image : resample(image, rows, columns);
  const conv = (name: string, stride: 1 | 2, pad: "same" | "valid") =>
    x = stages[name] = convOf(params)(name, x, { stride, pad });
  const mixed = (name: string, block: (conv: Conv, x: tf.Tensor4D) => tf.Tensor4D) =>
    x = stages[name] = block(convOf(under(params, name)), x);

  conv("Conv2d_1a_3x3", 2, "valid");
  conv("Conv2d_2a_3x3", 1, "valid");
  conv("Conv2d_2b_3x3", 1, "same");
  x = maximum(x);
  conv("Conv2d_3b_1x1", 1, "valid");
  conv("Conv2d_4a_3x3", 1, "valid");
  x = maximum(x);
  for (const name of ["Mixed_5b", "Mixed_5c", "Mixed_5d"]) mixed(name, blockA);
  mixed("Mixed_6a", blockB);
  for (const name of ["Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"]) mixed(name, blockC);
  mixed("Mixed_7a", blockD);
  mixed("Mixed_7b", (own, y) => blockE(own, y, average));
  // Its last block takes the maximum, as the original graph did by mistake.
  mixed("Mixed_7c", (own, y) => blockE(own, y, (z) => tf.maxPool(z, 3, 1, "same")));
  return stages;
}

/**
 * The features of FID: Inception's last maps, averaged over the positions.
 *
 * - Shapes: `image` `[N,S,S,3]` in [-1, 1], resized to 299 px, gives `[N,2048]`.
 * - Weights: as `convert` gives them of pytorch-fid's file: torchvision's names, HWIO, the batch
 *   normalisations merged.
 * - Source: Szegedy et al., CVPR 2016, with the pooling of the graph that published FIDs use, as
 *   pytorch-fid documents it.
 */
export function inceptionFeatures(params: Params, image: tf.Tensor4D): tf.Tensor2D {
  return tf.mean(inceptionStages(params, image)["Mixed_7c"]!, [1, 2]);
}
