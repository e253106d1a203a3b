/**
 * The axes of curves: images below, values with round numbers at the side.
 *
 * @module
 */
import type * as Plot from "@observablehq/plot";
import type { Point } from "./event_series.ts";

/** Three digits, without zeros at the end. */
export function formatNumber(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** The horizontal axis: thousands of images, or images where a run is short. */
export interface ImageAxis {
  readonly unit: "kimg" | "images";
  readonly domain: readonly [number, number];
  readonly at: (point: Point) => number;
}

/** The horizontal axis of some curves. */
export function imageAxis(curves: readonly (readonly Point[])[]): ImageAxis {
  const last = Math.max(0, ...curves.map((points) => points.at(-1)?.kimg ?? 0));
  if (last >= 1) return { unit: "kimg", domain: [0, last], at: ({ kimg }) => kimg };
  return { unit: "images", domain: [0, Math.max(1, last * 1000)], at: ({ kimg }) => kimg * 1000 };
}

/** The axis as Plot's scale. */
export function horizontal({ domain }: ImageAxis): Plot.ScaleOptions {
  return { domain: [...domain], ticks: 4, label: null, tickSize: 0, tickPadding: 6 };
}

const MAX_TICKS = 6;

/** Round numbers of a logarithmic axis: as many digits per power of ten as there is room for. */
function logTicks(low: number, high: number): readonly number[] {
  const first = Math.floor(Math.log10(low));
  const count = Math.ceil(Math.log10(high)) - first + 1;
  const tickSets = [[1, 2, 5], [1, 3], [1]].map((digits) =>
    Array.from({ length: count }, (_, i) => digits.map((digit) => Number(`${digit}e${first + i}`)))
      .flat().filter((tick) => tick >= low && tick <= high)
  );
  const powers = tickSets.at(-1)!;
  const every = Math.ceil(powers.length / MAX_TICKS);
  return tickSets.find((ticks) => ticks.length <= MAX_TICKS) ??
    powers.filter((_, i) => i % every === 0);
}

/** The vertical axis, and the same round numbers for its grid. */
export interface ValueAxis {
  readonly scale: Plot.ScaleOptions;
  readonly ticks: readonly number[] | number;
}

/** Logarithmic where all values are positive and at least two round numbers lie among them. */
export function valueAxis(values: readonly number[]): ValueAxis {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const common = { label: null, tickSize: 0, tickPadding: 6, tickFormat: formatNumber };
  const ticks = low > 0 ? logTicks(low, high) : [];
  if (ticks.length < 2) return { scale: { ...common, ticks: 3, nice: true }, ticks: 3 };
  const scale = { ...common, type: "log", domain: [low, high], ticks: [...ticks] } as const;
  return { scale, ticks };
}
