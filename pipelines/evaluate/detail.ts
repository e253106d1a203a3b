/**
 * Where a student differs from its teacher: by wavelet band, and by place.
 *
 * @module
 */
import type { HostArray } from "../../core/contracts.ts";
import { imageShape } from "../../core/image_stream.ts";
import { type Band, splitHaar } from "../../metrics/bands/haar_patches.ts";

const NAMES = ["ll", "lh", "hl", "hh"] as const;
/** Names of the Haar bands. */
export type BandName = typeof NAMES[number];

/** Differences of pairs of images. */
export interface Detail {
  /**
   * Of the bands of every size, keys as `swd` has them: `energy_hh_32px` is the student's energy
   * over the teacher's, `error_hh_32px` the energy of the difference over the teacher's.
   */
  readonly values: Readonly<Record<string, number>>;
  /** Mean magnitude of the difference in the finest bands, over images and colors: `[S/2,S/2]`. */
  readonly maps: Readonly<Record<BandName, HostArray>>;
  /** Mean images, `[1,S,S,3]`. */
  readonly means: { readonly student: HostArray; readonly teacher: HostArray };
}

/** Sums over pairs that come one batch after the other. */
export interface DetailSums {
  add(student: HostArray, teacher: HostArray): void;
  finish(): Detail;
}

/** Starts {@linkcode DetailSums}. */
export function createDetailSums(): DetailSums {
  const sums = new Map<string, { student: number; teacher: number; difference: number }>();
  const maps = new Map<BandName, Float64Array>();
  const totals = { student: new Float64Array(), teacher: new Float64Array() };
  let count = 0;
  let side = 0;
  return {
    add(student, teacher) {
      const [n, height] = imageShape(teacher);
      if (count === 0) {
        side = height / 2;
        totals.student = new Float64Array(3 * height ** 2);
        totals.teacher = new Float64Array(3 * height ** 2);
      }
      count += n;
      student.data.forEach((value, i) => totals.student[i % totals.student.length]! += value);
      teacher.data.forEach((value, i) => totals.teacher[i % totals.teacher.length]! += value);
      let low = [student, teacher].map(({ data }) => ({ count: n, side: height, data })) as [
        Band,
        Band,
      ];
      for (let size = height / 2; size >= 4; size /= 2) {
        const [own, other] = low.map(splitHaar) as [Band[], Band[]];
        low = [own[0]!, other[0]!];
        NAMES.forEach((name, b) => {
          if (size === height / 2) addMap(maps, name, own[b]!, other[b]!);
          if (name === "ll" && size > 4) return;
          addEnergies(sums, `${name}_${size}px`, own[b]!, other[b]!);
        });
      }
    },
    finish() {
      const values: Record<string, number> = {};
      for (const [key, { student, teacher, difference }] of sums) {
        values[`energy_${key}`] = student / teacher;
        values[`error_${key}`] = difference / teacher;
      }
      const map = (name: BandName): HostArray => ({
        shape: [side, side],
        data: Float32Array.from(maps.get(name)!, (sum) => sum / (3 * count)),
      });
      const mean = (sums: Float64Array): HostArray => ({
        shape: [1, 2 * side, 2 * side, 3],
        data: Float32Array.from(sums, (sum) => sum / count),
      });
      return {
        values,
        maps: { ll: map("ll"), lh: map("lh"), hl: map("hl"), hh: map("hh") },
        means: { student: mean(totals.student), teacher: mean(totals.teacher) },
      };
    },
  };
}

function addEnergies(
  sums: Map<string, { student: number; teacher: number; difference: number }>,
  key: string,
  own: Band,
  other: Band,
): void {
  const sum = sums.get(key) ?? { student: 0, teacher: 0, difference: 0 };
  for (let i = 0; i < own.data.length; i++) {
    const [a, b] = [own.data[i]!, other.data[i]!];
    sum.student += a * a;
    sum.teacher += b * b;
    sum.difference += (a - b) ** 2;
  }
  sums.set(key, sum);
}

function addMap(
  maps: Map<BandName, Float64Array>,
  name: BandName,
  own: Band,
  other: Band,
): void {
  const size = own.side ** 2;
  const map = maps.get(name) ?? new Float64Array(size);
  maps.set(name, map);
  for (let i = 0; i < own.data.length; i++) {
    map[Math.floor(i / 3) % size]! += Math.abs(own.data[i]! - other.data[i]!);
  }
}

/** The finest bands of images `[N,S,S,3]`, each `[N,S/2,S/2,3]`. */
export function finestBands(images: HostArray): Readonly<Record<BandName, HostArray>> {
  const [count, side] = imageShape(images);
  const bands = splitHaar({ count, side, data: images.data });
  const band = (b: number): HostArray => ({
    shape: [count, side / 2, side / 2, 3],
    data: bands[b]!.data,
  });
  return { ll: band(0), lh: band(1), hl: band(2), hh: band(3) };
}
