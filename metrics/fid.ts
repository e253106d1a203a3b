import type { HostArray, Metric } from "../core/contracts.ts";
import { defineMetric } from "../core/define.ts";
import { featureShape, type FeatureStream } from "../core/feature_stream.ts";
import { type NoOptions, noOptions } from "../layers/no_options.ts";
import { choleskyRows, rowProducts64, symmetricEigenvalues } from "./matrices/symmetric.ts";

/** The Gaussian that FID takes a set of features for. */
export interface GaussianStatistics {
  /** Rows that were seen. */
  readonly count: number;
  /** `[D]` */
  readonly mean: Float64Array;
  /** `[D,D]`, unbiased. */
  readonly covariance: Float64Array;
}

/** Sums over rows that come one batch after the other. */
export interface GaussianSums {
  /** Adds a batch `[N,D]`. */
  add(batch: HostArray): void;
  /** Mean and covariance of all rows so far. */
  statistics(): GaussianStatistics;
}

/** Starts {@linkcode GaussianSums}, in float64: only D x D numbers are kept. */
export function createGaussianSums(): GaussianSums {
  let sums: Sums | undefined;
  return {
    add(batch) {
      sums ??= startSums(batch);
      addRows(sums, batch);
    },
    statistics() {
      if (!sums || sums.count < 2) {
        throw new RangeError(
          `Cannot estimate a covariance: expected features of at least 2 images but received ${
            sums?.count ?? 0
          }`,
        );
      }
      return statisticsOfSums(sums);
    },
  };
}

/**
 * Mean and unbiased covariance of features, in float64 and in one pass.
 *
 * @param features Batches `[N,D]`; how they are batched and ordered does not matter.
 * @throws {RangeError} If there are fewer than two rows, or rows differ in length.
 */
export async function gaussianStatistics(features: FeatureStream): Promise<GaussianStatistics> {
  const sums = createGaussianSums();
  for await (const batch of features) sums.add(batch);
  return sums.statistics();
}

/**
 * Squared Fréchet distance of two Gaussians: `|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`.
 *
 * The trace of the root is the sum of the roots of the eigenvalues of `R C2 R^T` with `R^T R = C1`,
 * which is symmetric: no complex numbers, and singular covariances need no correction.
 *
 * Source: Dowson and Landau, Journal of Multivariate Analysis 12 (3), 1982.
 *
 * @throws {RangeError} If the Gaussians have different dimensions.
 */
export function frechetDistance(left: GaussianStatistics, right: GaussianStatistics): number {
  const size = left.mean.length;
  if (right.mean.length !== size) {
    throw new RangeError(
      `Cannot compute fid: expected features of ${size} numbers but received ${right.mean.length}`,
    );
  }
  let distance = -2 * traceOfRoot(left.covariance, right.covariance, size);
  for (let i = 0; i < size; i++) {
    distance += (left.mean[i]! - right.mean[i]!) ** 2;
    distance += left.covariance[i * size + i]! + right.covariance[i * size + i]!;
  }
  return Math.max(0, distance); // rounding may leave it just below
}

/** Features as they come, or what was kept of them. */
export type FidInput = FeatureStream | GaussianStatistics;

/**
 * Fréchet distance of two sets of images by their features.
 *
 * Numbers of different features, sample counts or image protocols are not comparable; fewer images
 * than numbers per image make it much too large.
 */
export const fidMetric: Metric<"fid", NoOptions> = defineMetric({
  name: "fid",
  summary: "Fréchet distance of the features of two sets, taken for Gaussians",
  source: "Heusel et al., NeurIPS 2017 (arXiv:1706.08500), equation 6",
  options: noOptions,
  async compute(
    { features, reference }: { readonly features: FidInput; readonly reference: FidInput },
  ) {
    const [left, right] = [await statisticsOf(features), await statisticsOf(reference)];
    return { fid: frechetDistance(left, right) };
  },
});

async function statisticsOf(input: FidInput): Promise<GaussianStatistics> {
  return "covariance" in input ? input : await gaussianStatistics(input);
}

interface Sums {
  readonly size: number;
  /** The first row: sums of differences to it keep their digits. */
  readonly origin: Float64Array;
  readonly sum: Float64Array;
  /** Upper triangle of the sum of `x x^T`. */
  readonly products: Float64Array;
  count: number;
}

function startSums(batch: HostArray): Sums {
  const [, size] = featureShape(batch);
  return {
    size,
    origin: Float64Array.from(batch.data.subarray(0, size)),
    sum: new Float64Array(size),
    products: new Float64Array(size * size),
    count: 0,
  };
}

function statisticsOfSums({ count, size, origin, sum, products }: Sums): GaussianStatistics {
  const offset = sum.map((value) => value / count);
  const covariance = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = i; j < size; j++) {
      const value = (products[i * size + j]! - count * offset[i]! * offset[j]!) / (count - 1);
      covariance[i * size + j] = covariance[j * size + i] = value;
    }
  }
  return { count, mean: offset.map((value, i) => value + origin[i]!), covariance };
}

/** Four rows at a time, so that the D x D products go through the memory a quarter as often. */
function addRows(sums: Sums, batch: HostArray): void {
  const { size, origin, sum, products } = sums;
  const [count] = featureShape(batch, size);
  sums.count += count;
  const rows = Array.from({ length: 4 }, () => new Float64Array(size));
  const [a, b, c, d] = rows as [Float64Array, Float64Array, Float64Array, Float64Array];
  for (let first = 0; first < count; first += 4) {
    rows.forEach((row, k) => {
      row.fill(0);
      if (first + k >= count) return;
      for (let i = 0; i < size; i++) row[i] = batch.data[(first + k) * size + i]! - origin[i]!;
    });
    for (let i = 0; i < size; i++) {
      const p = a[i]!, q = b[i]!, r = c[i]!, s = d[i]!;
      sum[i]! += p + q + r + s;
      for (let j = i, at = i * size + i; j < size; j++, at++) {
        products[at]! += p * a[j]! + q * b[j]! + r * c[j]! + s * d[j]!;
      }
    }
  }
}

function traceOfRoot(left: Float64Array, right: Float64Array, size: number): number {
  const root = choleskyRows(left, size); // R with R^T R = C1
  const rank = root.length / size;
  const middle = rowProducts64(rowProducts64(root, right, size), root, size); // R C2 R^T
  return symmetricEigenvalues(middle, rank)
    .reduce((sum, value) => sum + Math.sqrt(Math.max(0, value)), 0);
}
