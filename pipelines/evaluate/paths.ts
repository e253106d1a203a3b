import type { HostArray } from "../../core/contracts.ts";
import type { PathWalk } from "../../metrics/ppl.ts";
import { firstImages } from "./image_sets.ts";
import { latentsFor } from "./latents.ts";
import type { RunningSubject } from "./subjects.ts";
import type { Tick } from "./tracked.ts";

/**
 * A generator on straight paths in w between the styles of two latents, the noise of each path being
 * the same at all positions. A student and its teacher walk the same paths.
 */
export function pathWalk(
  { generator, running }: RunningSubject,
  { seed, count, batch, tick }: {
    readonly seed: number;
    readonly count: number;
    readonly batch: number;
    readonly tick: Tick;
  },
): PathWalk {
  const starts = latentsFor({ seed, purpose: "path starts" }, generator.config);
  const ends = latentsFor({ seed, purpose: "path ends" }, generator.config);
  return async function* (positions) {
    for (let first = 0; first < count; first += batch) {
      const start = await running.styles(starts.z(first, batch));
      const end = await running.styles(ends.z(first, batch));
      const noise = starts.noise(first, batch);
      const images: HostArray[] = [];
      for (const position of positions) {
        const w = between(start, end, position);
        const { image } = await running.images(w, noise, { batch });
        images.push(firstImages(image, Math.min(batch, count - first)));
      }
      yield images;
      tick(positions.length * images[0]!.shape[0]!);
    }
  };
}

function between(start: HostArray, end: HostArray, position: number): HostArray {
  const { shape, data } = start;
  return { shape, data: data.map((value, i) => value + position * (end.data[i]! - value)) };
}
