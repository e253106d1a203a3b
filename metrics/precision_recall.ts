import { z } from "zod";
import type { HostArray, Metric } from "../core/contracts.ts";
import { defineMetric } from "../core/define.ts";
import {
  collectFeatures,
  featureShape,
  type FeatureStream,
  type RowProducts,
  rowProducts,
  rowsOf,
} from "../core/feature_stream.ts";

/** How much of each set lies in the other's manifold. */
export interface PrecisionRecall {
  /** Share of the images that lie where the reference's do: how many look right. */
  readonly precision: number;
  /** Share of the reference that lies where the images do: how much of its variety is there. */
  readonly recall: number;
}

const options: z.ZodObject<{ neighbours: z.ZodDefault<z.ZodInt> }> = z.object({
  /** The manifold is a ball around each image that reaches its k-th nearest neighbour. */
  neighbours: z.int().positive().default(3),
});

/** What {@linkcode precisionRecallMetric} compares. */
export interface PrecisionRecallInputs {
  readonly features: FeatureStream;
  readonly reference: FeatureStream;
  /** How products of rows are computed; on the host by default. */
  readonly products?: RowProducts;
}

/** Precision and recall of two sets of images by their features. */
export const precisionRecallMetric: Metric<"precision_recall", typeof options> = defineMetric({
  name: "precision_recall",
  summary: "share of each set that lies in the other's manifold of nearest neighbours",
  source: "Kynkäänniemi et al., NeurIPS 2019 (arXiv:1904.06991), equations 1 and 2",
  options,
  async compute({ features, reference, products }: PrecisionRecallInputs, { neighbours }) {
    const [left, right] = [await collectFeatures(features), await collectFeatures(reference)];
    return { ...await precisionRecall(left, right, { neighbours, products }) };
  },
});

/**
 * Improved precision and recall: the manifold of a set is the union of balls around its rows, each
 * as large as the distance to its k-th nearest neighbour in the set.
 *
 * @param features `[N,D]`, N more than `neighbours`.
 * @param reference `[M,D]`, M more than `neighbours`.
 * @throws {RangeError} If a set is too small, or rows differ in length.
 */
export async function precisionRecall(
  features: HostArray,
  reference: HostArray,
  { neighbours = 3, products = rowProducts }: {
    readonly neighbours?: number;
    readonly products?: RowProducts | undefined;
  } = {},
): Promise<PrecisionRecall> {
  const [n, size] = featureShape(features);
  const [m] = featureShape(reference, size);
  if (Math.min(n, m) <= neighbours) {
    throw new RangeError(
      `Cannot compute precision_recall: expected sets of more than ${neighbours} images but received ${n} and ${m}`,
    );
  }
  const [left, right] = centred(features, reference);
  const radii = [
    await radiiOf(left, neighbours, products),
    await radiiOf(right, neighbours, products),
  ];
  return {
    precision: await shareInside(left, right, radii[1]!, products),
    recall: await shareInside(right, left, radii[0]!, products),
  };
}

const BLOCK = 512; // rows whose distances to all others are held at a time

/** Both sets around the mean of the second: the same distances, with less to cancel in them. */
function centred(left: HostArray, right: HostArray): [HostArray, HostArray] {
  const [count, size] = featureShape(right);
  const mean = new Float64Array(size);
  right.data.forEach((value, i) => mean[i % size]! += value / count);
  const moved = ({ shape, data }: HostArray) => ({
    shape,
    data: data.map((value, i) => value - mean[i % size]!),
  });
  return [moved(left), moved(right)];
}

/** Calls back with the squared distances of each row of `left` to all rows of `right`. */
async function forEachRow(
  left: HostArray,
  right: HostArray,
  products: RowProducts,
  use: (distances: Float64Array, row: number) => void,
): Promise<void> {
  const [n] = featureShape(left);
  const [m] = featureShape(right);
  const [squaresLeft, squaresRight] = [squaresOf(left), squaresOf(right)];
  const distances = new Float64Array(m);
  for (let first = 0; first < n; first += BLOCK) {
    const end = Math.min(n, first + BLOCK);
    const { data } = await products(rowsOf(left, first, end), right);
    for (let row = first; row < end; row++) {
      for (let j = 0; j < m; j++) {
        const product = data[(row - first) * m + j]!;
        distances[j] = squaresLeft[row]! + squaresRight[j]! - 2 * product;
      }
      use(distances, row);
    }
  }
}

function squaresOf({ shape, data }: HostArray): Float64Array {
  const [count, size] = shape as [number, number];
  const squares = new Float64Array(count);
  data.forEach((value, i) => squares[Math.floor(i / size)]! += value * value);
  return squares;
}

/** Squared distance of each row to its k-th nearest other row. */
async function radiiOf(set: HostArray, k: number, products: RowProducts): Promise<Float64Array> {
  const radii = new Float64Array(set.shape[0]!);
  await forEachRow(set, set, products, (distances, row) => {
    const nearest = new Array<number>(k).fill(Infinity); // sorted
    distances.forEach((distance, j) => {
      if (j === row || distance >= nearest[k - 1]!) return;
      let at = k - 1;
      for (; at > 0 && nearest[at - 1]! > distance; at--) nearest[at] = nearest[at - 1]!;
      nearest[at] = distance;
    });
    radii[row] = nearest[k - 1]!;
  });
  return radii;
}

/** Share of the rows that lie in a ball of the manifold. */
async function shareInside(
  rows: HostArray,
  manifold: HostArray,
  radii: Float64Array,
  products: RowProducts,
): Promise<number> {
  let inside = 0;
  await forEachRow(rows, manifold, products, (distances) => {
    if (distances.some((distance, j) => distance <= radii[j]!)) inside++;
  });
  return inside / rows.shape[0]!;
}
