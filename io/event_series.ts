/**
 * Numbers over the course of a run, from its events.
 *
 * @module
 */

/** A point of a curve. */
export interface Point {
  /** Thousands of images. */
  readonly kimg: number;
  /** Height of the curve. */
  readonly value: number;
}

/** An event as far as curves look at it: a line of `events.jsonl`, or what a pipeline yields. */
export interface CurveEvent {
  /** Only `step` and `sample` are read. */
  readonly kind: string;
  /** Thousands of images. */
  readonly kimg?: unknown;
  /** Of `step` events: numbers by name. */
  readonly losses?: unknown;
  /** Of `sample` events: numbers by name. */
  readonly measures?: unknown;
}

/** Curves by name, in the order in which the names first appear. Numbers that are not finite are left out. */
export function seriesOf(
  events: readonly CurveEvent[],
  kind: "step" | "sample",
): ReadonlyMap<string, readonly Point[]> {
  const series = new Map<string, Point[]>();
  for (const event of events) {
    if (event.kind !== kind || typeof event.kimg !== "number") continue;
    const values = (kind === "step" ? event.losses : event.measures) ?? {};
    for (const [name, value] of Object.entries(values)) {
      if (typeof value !== "number" || !Number.isFinite(value)) continue;
      if (!series.has(name)) series.set(name, []);
      series.get(name)!.push({ kimg: event.kimg, value });
    }
  }
  return series;
}

/** The mean over a window of so many points around each; shorter at the ends. */
export function smooth(points: readonly Point[], window: number): readonly Point[] {
  const sums = [0];
  for (const { value } of points) sums.push(sums.at(-1)! + value);
  const half = Math.floor(window / 2);
  return points.map(({ kimg }, i) => {
    const from = Math.max(0, i - half), to = Math.min(points.length, i + half + 1);
    return { kimg, value: (sums[to]! - sums[from]!) / (to - from) };
  });
}

/** At most so many points, in order: of every stretch the lowest and the highest. */
export function thin(points: readonly Point[], count: number): readonly Point[] {
  if (points.length <= count) return points;
  const stretches = Math.max(1, Math.floor(count / 2));
  return Array.from({ length: stretches }, (_, i) => {
    const from = Math.floor(i * points.length / stretches);
    const stretch = points.slice(from, Math.floor((i + 1) * points.length / stretches));
    const low = stretch.reduce((a, b) => b.value < a.value ? b : a);
    const high = stretch.reduce((a, b) => b.value > a.value ? b : a);
    return low.kimg <= high.kimg ? [low, high] : [high, low];
  }).flat();
}
