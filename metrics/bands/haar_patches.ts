/**
 * Patches of the bands of a Haar pyramid.
 *
 * @module
 */
import type { ByteImages } from "../../core/image_stream.ts";

/** Side of a patch in px, as in Karras et al. 2018. */
const PATCH = 7;
/** Numbers of a patch: of three colors. */
export const PATCH_SIZE: number = PATCH * PATCH * 3;
const BANDS = ["ll", "lh", "hl", "hh"] as const;

/** One band of all images, or the images themselves. */
export interface Band {
  readonly count: number;
  readonly side: number;
  /** `[N,side,side,3]` */
  readonly data: Float32Array;
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

/** LH, HL and HH of every level down to 8 px, finest first, and the last LL before them. */
export function bandNames(side: number): { readonly name: string; readonly side: number }[] {
  const names: { name: string; side: number }[] = [];
  for (let half = side / 2; half % 8 === 0; half /= 2) {
    const all = half % 16 === 0 ? BANDS.slice(1) : BANDS;
    names.push(...all.map((name) => ({ name, side: half })));
  }
  return names;
}

/** The bands of images, in the order of {@linkcode bandNames}. */
function bandsOf(images: Band): Band[] {
  const bands: Band[] = [];
  for (let low = images; low.side % 16 === 0;) {
    const [ll, ...details] = splitHaar(low) as [Band, Band, Band, Band];
    bands.push(...ll.side % 16 === 0 ? details : [ll, ...details]);
    low = ll;
  }
  return bands;
}

/** Offsets of the patches in a band: a grid, each place moved at random within its cell. */
export function placesIn(side: number, gridSide: number, next: () => number): readonly number[] {
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

/** Numbers of images of which bands are made at a time: a set may be larger than memory allows. */
const CHUNK = 2 ** 20;

/**
 * The patches of all images at some places, `[N,7,7,3]` per band.
 *
 * @param places By band, in the order of {@linkcode bandNames}.
 */
export function patchesOf(
  { count, height, data }: ByteImages,
  places: readonly (readonly number[])[],
): Float32Array[] {
  const patches = places.map((some) => new Float32Array(count * some.length * PATCH_SIZE));
  const size = height * height * 3;
  const chunk = Math.max(1, Math.floor(CHUNK / size));
  for (let first = 0; first < count; first += chunk) {
    const pixels = Float32Array.from(data.subarray(first * size, (first + chunk) * size));
    const images = { count: pixels.length / size, side: height, data: pixels };
    bandsOf(images).forEach((band, i) => {
      takePatches(band, places[i]!, patches[i]!.subarray(first * places[i]!.length * PATCH_SIZE));
    });
  }
  return patches;
}

function takePatches(
  { count, side, data }: Band,
  places: readonly number[],
  into: Float32Array,
): void {
  const row = PATCH * 3;
  let to = 0;
  for (let image = 0; image < count; image++) {
    for (const place of places) {
      for (let y = 0; y < PATCH; y++, to += row) {
        const start = (image * side + y) * side * 3 + place;
        for (let i = 0; i < row; i++) into[to + i] = data[start + i]!;
      }
    }
  }
}
