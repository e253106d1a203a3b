import { z } from "zod";
import type { HostArray, Metric } from "../core/contracts.ts";
import { defineMetric } from "../core/define.ts";
import {
  collectFeatures,
  featureShape,
  type FeatureStream,
  type RowProducts,
  rowProducts,
} from "../core/feature_stream.ts";
import { createRandom, type Random } from "../core/random.ts";

/**
 * Unbiased squared maximum mean discrepancy of two sets for the kernel `(x . y / D + 1)^3`.
 *
 * It may be below zero: its mean is zero for two sets of one distribution.
 *
 * Source: Gretton et al., JMLR 13, 2012, equation 3; kernel of Bińkowski et al., ICLR 2018.
 *
 * @param left `[N,D]`, N at least 2.
 * @param right `[M,D]`, M at least 2.
 * @throws {RangeError} If a set is too small, or rows differ in length.
 */
export async function kernelDistance(
  left: HostArray,
  right: HostArray,
  products: RowProducts = rowProducts,
): Promise<number> {
  const [n, size] = featureShape(left);
  const [m] = featureShape(right, size);
  if (Math.min(n, m) < 2) {
    throw new RangeError(
      `Cannot compute kid: expected sets of at least 2 images but received ${n} and ${m}`,
    );
  }
  const kernelSum = ({ data }: HostArray, keep: (i: number) => boolean) => {
    let sum = 0;
    for (let i = 0; i < data.length; i++) if (keep(i)) sum += (data[i]! / size + 1) ** 3;
    return sum;
  };
  const within = kernelSum(await products(left, left), (i) => i % (n + 1) !== 0);
  const withinOther = kernelSum(await products(right, right), (i) => i % (m + 1) !== 0);
  const across = kernelSum(await products(left, right), () => true);
  return within / (n * (n - 1)) + withinOther / (m * (m - 1)) - 2 * across / (n * m);
}

const options: z.ZodObject<{
  subsets: z.ZodDefault<z.ZodInt>;
  subsetSize: z.ZodDefault<z.ZodInt>;
  seed: z.ZodDefault<z.ZodInt>;
}> = z.object({
  /** Random subsets of both sets whose distances are averaged. */
  subsets: z.int().min(2).default(100),
  /** Images of each set in a subset; at most half of the smaller set, so that subsets differ. */
  subsetSize: z.int().min(2).default(1000),
  /** Chooses the subsets. */
  seed: z.int().nonnegative().default(0),
});

/** What {@linkcode kidMetric} compares. */
export interface KidInputs {
  readonly features: FeatureStream;
  readonly reference: FeatureStream;
  /** How products of rows are computed; on the host by default. */
  readonly products?: RowProducts;
}

/** Kernel distance of two sets of images by their features: mean and deviation over subsets. */
export const kidMetric: Metric<"kid", typeof options> = defineMetric({
  name: "kid",
  summary: "kernel distance of the features of two sets, unbiased: mean and spread over subsets",
  source: "Bińkowski et al., ICLR 2018 (arXiv:1801.01401), section 4",
  options,
  async compute({ features, reference, products }: KidInputs, { subsets, subsetSize, seed }) {
    const [left, right] = [await collectFeatures(features), await collectFeatures(reference)];
    const half = Math.floor(Math.min(left.shape[0]!, right.shape[0]!) / 2);
    if (half < 2) {
      throw new RangeError(
        `Cannot compute kid: expected sets of at least 4 images but received ${left.shape[0]} and ${
          right.shape[0]
        }`,
      );
    }
    const size = Math.min(subsetSize, half);
    const distances: number[] = [];
    for (let i = 0; i < subsets; i++) {
      const random = createRandom(seed, "kid", i);
      const some = [left, right].map((set) => subsetOf(set, size, random)) as [
        HostArray,
        HostArray,
      ];
      distances.push(await kernelDistance(...some, products));
    }
    const mean = distances.reduce((sum, value) => sum + value, 0) / subsets;
    const squares = distances.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return { kid: mean, kid_spread: Math.sqrt(squares / (subsets - 1)) };
  },
});

/** Different rows at random. */
function subsetOf(set: HostArray, count: number, random: Random): HostArray {
  const [rows, size] = featureShape(set);
  const order = Uint32Array.from({ length: rows }, (_, i) => i);
  const data = new Float32Array(count * size);
  for (let i = 0; i < count; i++) {
    const other = i + random.integer(rows - i);
    [order[i], order[other]] = [order[other]!, order[i]!];
    data.set(set.data.subarray(order[i]! * size, (order[i]! + 1) * size), i * size);
  }
  return { shape: [count, size], data };
}
