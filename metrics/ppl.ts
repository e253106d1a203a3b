import { z } from "zod";
import type { HostArray, Metric } from "../core/contracts.ts";
import { defineMetric } from "../core/define.ts";
import { imageShape } from "../core/image_stream.ts";

/**
 * A generator on straight paths in w: gives, batch by batch, the images `[N,S,S,3]` of the same
 * paths and noise at each of these positions, 0 being the one end and 1 the other.
 */
export type PathWalk = (positions: readonly number[]) => AsyncIterable<readonly HostArray[]>;

/** What {@linkcode pplMetric} measures. */
export interface PplInputs {
  readonly walk: PathWalk;
  /** Perceptual distance of each pair of images, quadratic in small differences. */
  readonly distance?: (left: HostArray, right: HostArray) => Promise<readonly number[]>;
}

const BANDS = ["ll", "lh", "hl", "hh"] as const;

const options: z.ZodObject<
  { epsilon: z.ZodDefault<z.ZodNumber>; trim: z.ZodDefault<z.ZodNumber> }
> = z.object({
  /** Length of the step at the end of a path, as a share of the path. */
  epsilon: z.number().positive().default(1e-4),
  /** Share of the largest, and of the smallest, distances that are left out of `ppl`. */
  trim: z.number().min(0).lt(0.5).default(0.01),
});

/**
 * Path length in w at the ends of paths: how much an image changes with a small step from one style
 * towards another, over the square of the step; in features, and in each Haar band.
 *
 * - `ppl`: perceptual distance over epsilon squared, trimmed as it is customary; only with features.
 * - `ppl_hh` and so on: mean squared change of a band's coefficients over epsilon squared; pixels
 *   only, no features.
 * - `roughness_hh` and so on: the same divided by the mean squared change of a straight fade between
 *   the two images, so by what cannot be avoided. 1: as smooth as a fade. It does not depend on how
 *   much detail there is, so that bands, and a blurred and a sharp generator, can be compared.
 *
 * Images are taken as they are: neither clamped nor cropped.
 */
export const pplMetric: Metric<"ppl", typeof options> = defineMetric({
  name: "ppl",
  summary: "path length in w at the ends of paths, in features and per Haar band",
  source: "Karras et al., CVPR 2019, section 4.1, on w and ends; bands after arXiv:2104.04767",
  options,
  async compute({ walk, distance }: PplInputs, { epsilon, trim }) {
    const distances: number[] = [];
    const steps = [0, 0, 0, 0];
    const fades = [0, 0, 0, 0];
    let coefficients = 0;
    for await (const [start, near, end] of walk([0, epsilon, 1])) {
      if (distance) {
        for (const value of await distance(start!, near!)) distances.push(value / epsilon ** 2);
      }
      addBandSquares(steps, start!, near!);
      addBandSquares(fades, start!, end!);
      coefficients += start!.data.length / 4;
    }
    if (coefficients === 0) {
      throw new RangeError("Cannot compute ppl: expected some paths but received none");
    }
    const perBand = (name: string, value: (band: number) => number) =>
      Object.fromEntries(BANDS.map((band, b) => [`${name}_${band}`, value(b)]));
    return {
      ...distance && { ppl: trimmedMean(distances, trim) },
      ...perBand("ppl", (b) => steps[b]! / coefficients / epsilon ** 2),
      ...perBand("roughness", (b) => steps[b]! / fades[b]! / epsilon ** 2),
    };
  },
});

/** The mean of what lies between two quantiles, the outer neighbours included. */
export function trimmedMean(values: readonly number[], trim: number): number {
  const sorted = Float64Array.from(values).sort();
  const low = sorted[Math.floor(trim * (sorted.length - 1))]!;
  const high = sorted[Math.ceil((1 - trim) * (sorted.length - 1))]!;
  const kept = sorted.filter((value) => value >= low && value <= high);
  return kept.reduce((sum, value) => sum + value, 0) / kept.length;
}

/** Adds the sum of the squared differences of two batches of images in each Haar band. */
function addBandSquares(sums: number[], left: HostArray, right: HostArray): void {
  const [count, height, width] = imageShape(left);
  const row = width * 3;
  const at = (i: number) => right.data[i]! - left.data[i]!;
  for (let y = 0; y < count * height; y += 2) { // the images lie below each other
    for (let x = 0; x < width; x += 2) {
      for (let i = y * row + x * 3, end = i + 3; i < end; i++) {
        const p = at(i), q = at(i + 3), r = at(i + row), s = at(i + row + 3);
        sums[0]! += ((p + q + r + s) / 2) ** 2;
        sums[1]! += ((p + q - r - s) / 2) ** 2;
        sums[2]! += ((p - q + r - s) / 2) ** 2;
        sums[3]! += ((p - q - r + s) / 2) ** 2;
      }
    }
  }
}
