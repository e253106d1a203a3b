/**
 * Frozen networks whose feature maps the perceptual loss compares.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { bilinearMatrix } from "../core/axis_matrix.ts";
import type { HostArray, Params } from "../core/contracts.ts";
import { weightOf } from "../core/params.ts";
import { leakyRelu } from "../layers/activation.ts";
import { maxPool2 } from "../layers/max_pool.ts";
import { resample } from "../layers/resample.ts";
import type { DiscriminatorConfig } from "./config.ts";
import { discriminatorFeatures } from "./discriminator.ts";

/**
 * The output of every residual block of a frozen discriminator, finest first, divided by the mean
 * magnitude that it has on the teacher's images: then every block counts alike.
 *
 * - Shapes: `image` `[N,S,S,3]` gives `[N,S/2,S/2,C]`, ..., `[N,4,4,C]`.
 * - `magnitudes`: one number per block, from {@linkcode measureMagnitudes}.
 *
 * @throws {RangeError} If the number of magnitudes is not the number of blocks.
 */
export function discriminatorFeatureMaps(
  params: Params,
  image: tf.Tensor4D,
  { config, magnitudes }: {
    readonly config: DiscriminatorConfig;
    readonly magnitudes: readonly number[];
  },
): tf.Tensor4D[] {
  const maps = discriminatorFeatures(params, image, config);
  if (maps.length !== magnitudes.length) {
    throw new RangeError(
      `Cannot scale the discriminator's features: expected ${maps.length} magnitudes but received ${magnitudes.length}`,
    );
  }
  return maps.map((map, i) => tf.div(map, magnitudes[i]!));
}

/** The mean magnitude of every feature map, one number each: what a run of the measurement gives. */
export function meanMagnitudes(maps: readonly tf.Tensor4D[]): tf.Tensor1D {
  return tf.stack(maps.map((map) => tf.mean(tf.abs(map)))) as tf.Tensor1D;
}

/**
 * Averages {@linkcode meanMagnitudes} over batches of the teacher's images: host constants, computed
 * once before training.
 *
 * @param run Gives the magnitudes of the i-th batch.
 * @throws {RangeError} If a block is silent or not finite, since it cannot be scaled.
 */
export async function measureMagnitudes(
  run: (batch: number) => HostArray | Promise<HostArray>,
  { batches = 4 }: { readonly batches?: number } = {},
): Promise<number[]> {
  const sums: number[] = [];
  for (let batch = 0; batch < batches; batch++) {
    const { data } = await run(batch);
    data.forEach((value, i) => sums[i] = (sums[i] ?? 0) + value / batches);
  }
  sums.forEach((value, i) => {
    if (!(value > 0 && value < Infinity)) {
      throw new RangeError(
        `Cannot scale the discriminator's features: expected a positive magnitude of block ${i} but received ${value}`,
      );
    }
  });
  return sums;
}

/* The convolutions of VGG16 up to relu4_3 by their index in torchvision's `features`; a stage ends
 * with an output and a pooling. */
const stages = [[0, 2], [5, 7], [10, 12, 14], [17, 19, 21]];

// Mean and standard deviation of ImageNet's colours in [0, 1], as torchvision documents them.
const imagenetMean = [0.485, 0.456, 0.406];
const imagenetDeviation = [0.229, 0.224, 0.225];

/** Options of {@linkcode vgg16Features}. */
export interface Vgg16Options {
  /** Side in pixels to which images are resized. The author's preset is 256. */
  readonly inputPx?: number;
  /** `none` feeds [-1, 1] as it is, the author's preset; `imagenet` what VGG16 was trained on. */
  readonly normalisation?: "none" | "imagenet";
}

/**
 * VGG16's relu1_2, relu2_2, relu3_3 and relu4_3 of an image.
 *
 * - Shapes: `image` `[N,S,S,3]` gives `[N,s,s,64]`, `[N,s/2,s/2,128]`, `[N,s/4,s/4,256]`,
 *   `[N,s/8,s/8,512]`, s = `inputPx`.
 * - Weights: torchvision's names below `features` (`0.weight`, `0.bias`, `2.weight`, ...), HWIO.
 * - Source: Simonyan and Zisserman, ICLR 2015; resize and range of MobileStyleGAN's author's code.
 */
export function vgg16Features(
  params: Params,
  image: tf.Tensor4D,
  { inputPx = 256, normalisation = "none" }: Vgg16Options = {},
): tf.Tensor4D[] {
  const [, height, width] = image.shape;
  let x = height === inputPx && width === inputPx ? image : resample(
    image,
    bilinearMatrix(height, inputPx, { alignCorners: false }),
    bilinearMatrix(width, inputPx, { alignCorners: false }),
  );
  if (normalisation === "imagenet") {
    // ((x + 1) / 2 - mean) / deviation
    const scale = imagenetDeviation.map((deviation) => 1 / (2 * deviation));
    const shift = imagenetDeviation.map((deviation, i) => (0.5 - imagenetMean[i]!) / deviation);
    x = tf.add(tf.mul(x, tf.tensor1d(scale)), tf.tensor1d(shift));
  }
  return stages.map((convolutions, stage) => {
    if (stage > 0) x = maxPool2(x);
    for (const index of convolutions) {
      const weight = weightOf(params, `${index}.weight`);
      const y = tf.conv2d(x, weight, 1, "same");
      x = leakyRelu(tf.add(y, weightOf(params, `${index}.bias`)), 0) as tf.Tensor4D;
    }
    return x;
  });
}
