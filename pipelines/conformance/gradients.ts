import type { HostArray } from "../../core/contracts.ts";
import type { Case } from "./case.ts";
import {
  type Arrays,
  type Evaluation,
  type Evaluator,
  movedAlong,
  targetsOf,
} from "./evaluation.ts";
import { fail, largestOf } from "./expect.ts";

/**
 * Half the distance of a central difference, for directions of length 1. Long steps suffer from
 * curvature and from the kinks of leaky ReLU, short ones from float32: the best one counts.
 */
const STEPS = [1e-2, 1e-3];
/** How far slope and difference may be apart, as a part of the gradient's norm. */
const TOLERANCE = 0.02;
/** A gradient below this part of the largest one counts as none. */
const NOTHING = 1e-6;

/**
 * Checks that weights have gradients, and that these are the slopes of central differences: along
 * the gradient itself, where the slope is its norm, and across it.
 */
export async function checkGradients(
  part: Case,
  evaluator: Evaluator,
  arrays: Arrays,
  evaluation: Evaluation,
): Promise<void> {
  const largest = Math.max(0, ...Object.values(evaluation.gradients).map(largestOf));
  let trained = 0;
  for (const target of targetsOf(part)) {
    const gradient = evaluation.gradients[target]!.data;
    const norm = Math.hypot(...gradient);
    if (!Number.isFinite(norm)) fail(`the gradient of ${target} to be finite`, `${norm}`);
    if (norm > NOTHING * largest) trained++;
    else if (part.everyWeight) fail(`a gradient of ${target}`, "0, so that nothing would train it");
    const along = gradient.map((x) => norm > 0 ? x / norm : 0);
    const across = gradient.map((_, i) => (i % 2 === 0 ? 1 : -1) / Math.sqrt(gradient.length));
    for (const direction of [along, across]) {
      const slope = gradient.reduce((sum, x, i) => sum + x * direction[i]!, 0);
      const limit = TOLERANCE * Math.max(norm, 1e-3 * largest);
      const differences: number[] = [];
      for (const step of STEPS) {
        const moved = (sign: number) => movedAlong(arrays, target, direction, sign * step);
        const up = await evaluator.output(moved(1));
        const down = await evaluator.output(moved(-1));
        differences.push(projectedDifference(up, down, evaluation.projection) / (2 * step));
        if (Math.abs(slope - differences.at(-1)!) <= limit) break;
      }
      if (!differences.some((difference) => Math.abs(slope - difference) <= limit)) {
        const slopes = differences.map((difference) => difference.toPrecision(4)).join(" or ");
        fail(`the gradient of ${target} to have the slope ${slopes} of differences`, `${slope}`);
      }
    }
  }
  if (trained === 0 && part.trained.length > 0) {
    fail("a gradient", "0, so that nothing would train");
  }
}

/** Differences first, in float64: the sums of both sides are nearly equal. */
function projectedDifference(up: HostArray, down: HostArray, projection: HostArray): number {
  return up.data.reduce((sum, x, i) => sum + projection.data[i]! * (x - down.data[i]!), 0);
}
