import { z } from "zod";
import type { HostArray, Metric } from "../core/contracts.ts";
import { defineMetric } from "../core/define.ts";
import { createRandom } from "../core/random.ts";
import {
  type ByteImages,
  bytesOf,
  checkSameSize,
  collectBytes,
  type ImageStream,
} from "../core/image_stream.ts";

const PATCH = 7; // px, as in Karras et al. 2018
const PATCH_SIZE = PATCH * PATCH * 3;
const BANDS = ["ll", "lh", "hl", "hh"] as const;

/** How finely the distance is sampled. */
export interface SlicedWassersteinOptions {
  /** Chooses directions and places of patches. */
  readonly seed?: number;
  /** Random directions onto which the patches are projected, a multiple of 4; 64 by default. */
  readonly directions?: number;
  /** Patches per side of the grid of places in each band; 3 by default, nine places. */
  readonly gridSide?: number;
}

/**
 * Compares two sets of images by the sliced Wasserstein distance of their patches in each Haar
 * band; needs no network.
 *
 * Images become bytes, then a Haar pyramid: LH, HL and HH at half the size, at a quarter, ... down
 * to bands of 8 px, and the LL that is left. From each band of all images, 7x7x3 patches at the
 * same places are taken, scaled by the reference's mean and deviation of each color, and projected
 * onto random directions; a distance is the mean over the directions of the Wasserstein distance of
 * the two sets of numbers, times 1000.
 *
 * - Keys: `hh_32px` is the HH band of 32 px, so details of 1 px in images of 64 px; `mean` is the
 *   mean of all bands.
 * - Differences to the source: Haar bands instead of a Laplacian pyramid; places on a jittered grid
 *   that is the same for all images, so that equal sets have distance 0 in any order; both sets are
 *   scaled by the reference, so that a set with too little detail is far from it.
 * - Time: about 3 s for 2 x 2048 images of 64 px.
 * - Numbers of different seeds, directions, grids or reference sets are not comparable.
 * - Source: Karras et al., ICLR 2018 (arXiv:1710.10196), section 5; 7x7 patches, times 1000.
 *
 * @param images `[N,S,S,3]` in [-1, 1], S a multiple of 16.
 * @param reference `[M,S,S,3]`; the order of the images does not matter, N and M may differ.
 * @throws {RangeError} If the shapes do not fit.
 */
export function slicedWasserstein(
  images: HostArray,
  reference: HostArray,
  options: SlicedWassersteinOptions = {},
): Record<string, number> {
  return compare(bytesOf(images), bytesOf(reference), options);
}

const options: z.ZodObject<{
  seed: z.ZodDefault<z.ZodInt>;
  directions: z.ZodDefault<z.ZodInt>;
  gridSide: z.ZodDefault<z.ZodInt>;
}> = z.object({
  seed: z.int().nonnegative().default(0),
  directions: z.int().positive().multipleOf(4).default(64),
  gridSide: z.int().positive().default(3),
});

/** Sliced Wasserstein distance per Haar band; inputs are two streams, `images` and `reference`. */
export const swdMetric: Metric<"swd", typeof options> = defineMetric({
  name: "swd",
  summary: "sliced Wasserstein distance per Haar band, x 1000; needs no network",
  source: "Karras et al., ICLR 2018, section 5, on Haar bands",
  options,
  async compute(
    { images, reference }: { readonly images: ImageStream; readonly reference: ImageStream },
    settings,
  ) {
    return compare(await collectBytes(images), await collectBytes(reference), settings);
  },
});

/** One band of all images, or the images themselves. */
export interface Band {
  readonly count: number;
  readonly side: number;
  /** `[N,side,side,3]` */
  readonly data: Float32Array;
}

function compare(
  images: ByteImages,
  reference: ByteImages,
  { seed = 0, directions = 64, gridSide = 3 }: SlicedWassersteinOptions,
): Record<string, number> {
  checkSameSize(images, reference);
  const { height, width } = reference;
  if (height !== width || height % 16 !== 0) {
    throw new RangeError(
      "Cannot compute swd: expected square images with a side that is a multiple of 16 px but " +
        `received ${height} x ${width} px`,
    );
  }
  if (!Number.isInteger(directions) || directions < 4 || directions % 4 !== 0) {
    throw new RangeError(
      `Cannot compute swd: expected directions to be a multiple of 4 but received ${directions}`,
    );
  }
  const distances: Record<string, number> = {};
  let low = [images, reference].map(({ count, data }) => ({
    count,
    side: height,
    data: Float32Array.from(data),
  })) as [Band, Band];
  while (low[0].side % 16 === 0) {
    const [left, right] = low.map(splitHaar) as [Band[], Band[]];
    low = [left[0]!, right[0]!];
    const isLast = low[0].side % 16 !== 0;
    for (const [i, name] of BANDS.entries()) {
      if (name === "ll" && !isLast) continue;
      const key = `${name}_${low[0].side}px`;
      const random = createRandom(seed, `swd/${key}`);
      const slices = unitVectors(random.normal([directions, PATCH_SIZE]).data);
      const places = placesIn(low[0].side, gridSide, random.next);
      distances[key] = 1000 * bandDistance(left[i]!, right[i]!, places, slices);
    }
  }
  const all = Object.values(distances);
  return { ...distances, mean: all.reduce((sum, value) => sum + value, 0) / all.length };
}

/** One level of the orthonormal Haar transform: LL, LH, HL, HH (signs as `layers/haar.ts`). */
export function splitHaar({ count, side, data }: Band): Band[] {
  const half = side / 2;
  const bands = BANDS.map(() => new Float32Array(count * half * half * 3));
  const [ll, lh, hl, hh] = bands as [Float32Array, Float32Array, Float32Array, Float32Array];
  const row = side * 3;
  let to = 0;
  for (let y = 0; y < count * half; y++) { // the images lie below each other
    for (let x = 0; x < half; x++) {
      let from = 2 * y * row + 2 * x * 3;
      for (let c = 0; c < 3; c++, from++, to++) {
        const p = data[from]!, q = data[from + 3]!;
        const r = data[from + row]!, s = data[from + row + 3]!;
        ll[to] = (p + q + r + s) / 2;
        lh[to] = (p + q - r - s) / 2;
        hl[to] = (p - q + r - s) / 2;
        hh[to] = (p - q - r + s) / 2;
      }
    }
  }
  return bands.map((band) => ({ count, side: half, data: band }));
}

/** Offsets of the patches in a band: a grid, each place moved at random within its cell. */
function placesIn(side: number, gridSide: number, next: () => number): readonly number[] {
  const offsets = side - PATCH + 1;
  const cells = Math.min(gridSide, offsets);
  const within = (cell: number) => {
    const [first, end] = [cell, cell + 1].map((edge) => Math.floor(edge * offsets / cells)) as [
      number,
      number,
    ];
    return first + Math.floor(next() * (end - first));
  };
  const places: number[] = [];
  for (let y = 0; y < cells; y++) {
    for (let x = 0; x < cells; x++) places.push((within(y) * side + within(x)) * 3);
  }
  return places;
}

/** Scales each row of `PATCH_SIZE` numbers to length 1. */
function unitVectors(rows: Float32Array): Float64Array {
  const unit = new Float64Array(rows.length);
  for (let start = 0; start < rows.length; start += PATCH_SIZE) {
    const row = rows.subarray(start, start + PATCH_SIZE);
    const length = Math.hypot(...row);
    row.forEach((value, i) => unit[start + i] = value / length);
  }
  return unit;
}

function bandDistance(
  images: Band,
  reference: Band,
  places: readonly number[],
  slices: Float64Array,
): number {
  const scaling = colorScaling(reference, places);
  const left = project(images, places, slices, scaling);
  const right = project(reference, places, slices, scaling);
  const total = left.reduce((sum, values, d) => sum + wasserstein(values, right[d]!), 0);
  return total / left.length;
}

interface Scaling {
  readonly mean: readonly number[];
  readonly factor: readonly number[];
}

/** Deviation of what rounding to bytes adds: less than this is not a property of the images. */
const ROUNDING_DEVIATION = 1 / Math.sqrt(12);

/** What maps each color of all patches to mean 0 and deviation 1. */
function colorScaling(band: Band, places: readonly number[]): Scaling {
  const sum = [0, 0, 0];
  const squares = [0, 0, 0];
  forEachPatch(band, places, (patch) => {
    for (let i = 0; i < PATCH_SIZE; i++) {
      sum[i % 3]! += patch[i]!;
      squares[i % 3]! += patch[i]! ** 2;
    }
  });
  const count = band.count * places.length * PATCH * PATCH;
  const mean = sum.map((value) => value / count);
  const factor = squares.map((value, c) => {
    const variance = Math.max(0, value / count - mean[c]! ** 2);
    return 1 / Math.max(Math.sqrt(variance), ROUNDING_DEVIATION);
  });
  return { mean, factor };
}

/** The sorted projections of all patches, per direction. */
function project(
  band: Band,
  places: readonly number[],
  slices: Float64Array,
  { mean, factor }: Scaling,
): Float32Array[] {
  const directions = slices.length / PATCH_SIZE;
  const count = band.count * places.length;
  const projections = Array.from({ length: directions }, () => new Float32Array(count));
  const scaled = new Float64Array(PATCH_SIZE);
  forEachPatch(band, places, (patch, n) => {
    for (let i = 0; i < PATCH_SIZE; i++) scaled[i] = (patch[i]! - mean[i % 3]!) * factor[i % 3]!;
    // Four directions at a time read each number of the patch once.
    for (let d = 0; d < directions; d += 4) {
      const start = d * PATCH_SIZE;
      let [first, second, third, fourth] = [0, 0, 0, 0];
      for (let i = 0; i < PATCH_SIZE; i++) {
        const value = scaled[i]!;
        first += value * slices[start + i]!;
        second += value * slices[start + PATCH_SIZE + i]!;
        third += value * slices[start + 2 * PATCH_SIZE + i]!;
        fourth += value * slices[start + 3 * PATCH_SIZE + i]!;
      }
      projections[d]![n] = first;
      projections[d + 1]![n] = second;
      projections[d + 2]![n] = third;
      projections[d + 3]![n] = fourth;
    }
  });
  return projections.map((values) => values.sort());
}

function forEachPatch(
  { count, side, data }: Band,
  places: readonly number[],
  use: (patch: Float32Array, n: number) => void,
): void {
  const patch = new Float32Array(PATCH_SIZE);
  for (let image = 0; image < count; image++) {
    for (const [p, place] of places.entries()) {
      for (let y = 0; y < PATCH; y++) {
        const start = image * side * side * 3 + place + y * side * 3;
        for (let i = 0; i < PATCH * 3; i++) patch[y * PATCH * 3 + i] = data[start + i]!;
      }
      use(patch, image * places.length + p);
    }
  }
}

/** The 1-D Wasserstein distance of two sorted samples: the area between their quantiles. */
export function wasserstein(left: Float32Array, right: Float32Array): number {
  let [i, j, at, area] = [0, 0, 0, 0];
  while (i < left.length && j < right.length) {
    const [endLeft, endRight] = [(i + 1) / left.length, (j + 1) / right.length];
    const end = Math.min(endLeft, endRight);
    area += (end - at) * Math.abs(left[i]! - right[j]!);
    at = end;
    if (endLeft <= end) i++;
    if (endRight <= end) j++;
  }
  return area;
}
