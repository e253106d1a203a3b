import type { HostArray, Metric } from "../core/contracts.ts";
import { defineMetric } from "../core/define.ts";
import { checkSameSize, imageShape, type ImageStream } from "../core/image_stream.ts";
import { type NoOptions, noOptions } from "../layers/no_options.ts";

const RANGE = 2; // of images in [-1, 1]

/**
 * Peak signal-to-noise ratio of each pair of images, in dB: `10 log10(4 / MSE)`.
 *
 * Values are clamped to [-1, 1] first, as they would be shown. Equal images give `Infinity`.
 *
 * @param images `[N,H,W,3]` in [-1, 1].
 * @param reference `[N,H,W,3]`; image i is compared with image i.
 * @throws {RangeError} If the shapes differ.
 */
export function psnr(images: HostArray, reference: HostArray): number[] {
  return mapPairs(images, reference, (left, right) => {
    let sum = 0;
    for (let i = 0; i < left.length; i++) sum += (left[i]! - right[i]!) ** 2;
    return 10 * Math.log10(RANGE ** 2 / (sum / left.length));
  });
}

/**
 * Structural similarity of each pair of images; 1 for equal ones.
 *
 * Values are clamped to [-1, 1] first. Gaussian window of 11 px and deviation 1.5, only where it
 * lies inside the image; K1 = 0.01, K2 = 0.03; the mean over the three colors.
 *
 * Source: Wang et al., IEEE Transactions on Image Processing 13 (4), 2004, equation 13.
 *
 * @param images `[N,H,W,3]` in [-1, 1], H and W at least 11.
 * @param reference `[N,H,W,3]`; image i is compared with image i.
 * @throws {RangeError} If the shapes differ or the images are smaller than the window.
 */
export function ssim(images: HostArray, reference: HostArray): number[] {
  const [, height, width] = imageShape(images);
  if (height < WINDOW.length || width < WINDOW.length) {
    throw new RangeError(
      `Cannot compute ssim: expected images of at least 11 x 11 px but received ` +
        `${height} x ${width} px`,
    );
  }
  return mapPairs(images, reference, (left, right) => {
    const blur = (values: ArrayLike<number>) => blurInside(values, height, width);
    const blurProduct = (x: Float32Array, y: Float32Array) => {
      const values = new Float64Array(x.length);
      for (let i = 0; i < values.length; i++) values[i] = x[i]! * y[i]!;
      return blur(values);
    };
    const [meanLeft, meanRight] = [blur(left), blur(right)];
    const squareLeft = blurProduct(left, left);
    const squareRight = blurProduct(right, right);
    const product = blurProduct(left, right);
    let sum = 0;
    for (let i = 0; i < product.length; i++) {
      const [a, b] = [meanLeft[i]!, meanRight[i]!];
      const covariance = product[i]! - a * b;
      const variances = squareLeft[i]! - a * a + squareRight[i]! - b * b;
      sum += (2 * a * b + C1) * (2 * covariance + C2) / ((a * a + b * b + C1) * (variances + C2));
    }
    return sum / product.length;
  });
}

/** What {@linkcode distanceMetric} compares: two streams in the same batches. */
export interface DistanceInputs {
  readonly images: ImageStream;
  readonly reference: ImageStream;
  /** Perceptual distance of each pair, where a feature network is at hand. */
  readonly distance?: (left: HostArray, right: HostArray) => Promise<readonly number[]>;
}

/** Distance of paired images. */
export const distanceMetric: Metric<"distance", NoOptions> = defineMetric({
  name: "distance",
  summary: "PSNR (dB), SSIM and feature distance of image pairs: mean and worst",
  source: "Wang et al., IEEE Transactions on Image Processing 13 (4), 2004",
  options: noOptions,
  async compute({ images, reference, distance }: DistanceInputs) {
    const decibels: number[] = [];
    const similarities: number[] = [];
    const featureDistances: number[] = [];
    for await (const [left, right] of zip(images, reference)) {
      decibels.push(...psnr(left, right));
      similarities.push(...ssim(left, right));
      if (distance) featureDistances.push(...await distance(left, right));
    }
    const mean = (values: number[]) =>
      values.reduce((sum, value) => sum + value, 0) / values.length;
    return {
      psnr: mean(decibels),
      psnr_pooled: pooled(decibels),
      psnr_worst: Math.min(...decibels),
      ssim: mean(similarities),
      ssim_worst: Math.min(...similarities),
      ...distance && {
        feature_distance: mean(featureDistances),
        feature_distance_worst: Math.max(...featureDistances),
      },
    };
  },
});

/** The PSNR of all pixels together, of those of images of one size. */
function pooled(decibels: readonly number[]): number {
  const error = decibels.reduce((sum, value) => sum + 10 ** (-value / 10), 0) / decibels.length;
  return -10 * Math.log10(error);
}

const C1 = (0.01 * RANGE) ** 2;
const C2 = (0.03 * RANGE) ** 2;

/** Gaussian of deviation 1.5 at -5 ... 5, sum 1. */
const WINDOW = ((): Float64Array => {
  const weights = Float64Array.from({ length: 11 }, (_, i) => Math.exp(-((i - 5) ** 2) / 4.5));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
})();

/** Windowed means of `[H,W,3]` where the whole window fits: `[H-10,W-10,3]`. */
function blurInside(data: ArrayLike<number>, height: number, width: number): Float64Array {
  const row = width * 3;
  const inside = new Float64Array((height - 10) * (width - 10) * 3);
  const blurred = new Float64Array(row); // one row, blurred along height
  for (let y = 0, to = 0; y < height - 10; y++) {
    blurred.fill(0);
    for (let tap = 0; tap < 11; tap++) {
      const [weight, from] = [WINDOW[tap]!, (y + tap) * row];
      for (let i = 0; i < row; i++) blurred[i]! += weight * data[from + i]!;
    }
    for (let i = 0; i < row - 30; i++, to++) {
      let sum = 0;
      for (let tap = 0; tap < 11; tap++) sum += WINDOW[tap]! * blurred[i + tap * 3]!;
      inside[to] = sum;
    }
  }
  return inside;
}

/** Applies a measure to the clamped values of each pair. */
function mapPairs(
  images: HostArray,
  reference: HostArray,
  measure: (left: Float32Array, right: Float32Array) => number,
): number[] {
  const [count, height, width] = imageShape(images);
  const [referenceCount, referenceHeight, referenceWidth] = imageShape(reference);
  checkSameSize({ height, width }, { height: referenceHeight, width: referenceWidth });
  if (count !== referenceCount) {
    throw new RangeError(
      `Cannot compare image pairs: expected ${referenceCount} images but received ${count}`,
    );
  }
  const size = height * width * 3;
  const clamped = ({ data }: HostArray, i: number) => {
    const values = data.slice(i * size, (i + 1) * size);
    for (let j = 0; j < size; j++) values[j] = Math.min(1, Math.max(-1, values[j]!));
    return values;
  };
  return Array.from(
    { length: count },
    (_, i) => measure(clamped(images, i), clamped(reference, i)),
  );
}

/** Batches of two streams side by side. */
async function* zip(
  images: ImageStream,
  reference: ImageStream,
): AsyncGenerator<readonly [HostArray, HostArray]> {
  const others = Symbol.asyncIterator in reference
    ? reference[Symbol.asyncIterator]()
    : reference[Symbol.iterator]();
  let pairs = 0;
  const checkBoth = (ended: boolean) => {
    if (!ended) return;
    throw new RangeError(
      `Cannot compare image pairs: expected as many batches as of the reference but received ` +
        `another number after ${pairs}`,
    );
  };
  try {
    for await (const left of images) {
      const right = await others.next();
      checkBoth(right.done === true);
      yield [left, right.value];
      pairs++;
    }
    checkBoth((await others.next()).done !== true);
  } finally {
    await others.return?.();
  }
  if (pairs === 0) throw new RangeError("Cannot measure images: expected some but received none");
}
