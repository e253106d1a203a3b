const INTERVAL_MS = 500; // between two reports

/** How far a number of runs are, together. */
export interface Pace {
  /** Steps were made. */
  advance(count: number): void;
  /** Steps need not be made: an earlier process made them, or their run failed. */
  skip(count: number): void;
  /** Where it stands; `undefined` if the last report is too recent. */
  report():
    | { readonly step: number; readonly steps: number; readonly etaSeconds: number }
    | undefined;
}

/** Counts steps of all runs together, and says at times how long the rest will take. */
export function createPace(steps: number): Pace {
  const start = performance.now();
  let next = start;
  let done = 0;
  let skipped = 0;
  return {
    advance(count: number) {
      done += count;
    },
    skip(count: number) {
      skipped += count;
    },
    report() {
      const now = performance.now();
      if (now < next || done === 0) return undefined;
      next = now + INTERVAL_MS;
      const step = done + skipped;
      const etaSeconds = (now - start) / 1000 / done * Math.max(0, steps - step);
      return { step, steps, etaSeconds };
    },
  };
}
