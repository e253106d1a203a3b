/**
 * Counts steps and time, and makes step events of them.
 *
 * @module
 */
import type { StepEvent } from "./events.ts";

/** Makes a clock that starts now. */
export function trainingClock(
  { step: first, steps, batch }: {
    readonly step: number;
    readonly steps: number;
    readonly batch: number;
  },
) {
  const start = performance.now();
  const recent: number[] = [start];
  let last = first;
  return {
    /** The event of a finished step. The rate is that of the last 32 steps. */
    tick(step: number, losses: Readonly<Record<string, number>>): StepEvent {
      last = step;
      recent.push(performance.now());
      if (recent.length > 33) recent.shift();
      const seconds = (recent.at(-1)! - recent[0]!) / 1000;
      const imagesPerSecond = (recent.length - 1) * batch / Math.max(seconds, 1e-9);
      const etaSeconds = (steps - step) * batch / imagesPerSecond;
      const kimg = step * batch / 1000;
      return { kind: "step", step, steps, kimg, losses, imagesPerSecond, etaSeconds };
    },
    /** Seconds and images per second since the start of this process. */
    summary(): { readonly seconds: number; readonly imagesPerSecond: number } {
      const seconds = (performance.now() - start) / 1000;
      return { seconds, imagesPerSecond: (last - first) * batch / Math.max(seconds, 1e-9) };
    },
  };
}
