/**
 * Latents and noise of an evaluation: functions of (seed, stream, index), in streams that training
 * never draws ("z", "mix", "noise") and `generate` does not either.
 *
 * @module
 */
import type { HostArray } from "../../core/contracts.ts";
import { createRandom } from "../../core/random.ts";
import { noiseShapes } from "../../networks/config.ts";

/** What a set of latents is for. Sets of different purposes share no latent. */
export type LatentPurpose = "images" | "reference" | "path starts" | "path ends";

/** Latents by index. */
export interface Latents {
  /** `[count,D]` */
  z(first: number, count: number): HostArray;
  /** Noise maps `[count,r,r,1]` in the order of a generator's layers. */
  noise(first: number, count: number): HostArray[];
}

/** Latents of a purpose for generators of one size. */
export function latentsFor(
  { seed, purpose }: { readonly seed: number; readonly purpose: LatentPurpose },
  { styleDim, sizePx }: { readonly styleDim: number; readonly sizePx: number },
): Latents {
  return {
    z: (first, count) => {
      const data = new Float32Array(count * styleDim);
      for (let i = 0; i < count; i++) {
        const random = createRandom(seed, `evaluate ${purpose} z`, first + i);
        data.set(random.normal([styleDim]).data, i * styleDim);
      }
      return { shape: [count, styleDim], data };
    },
    noise: (first, count) => {
      const maps = noiseShapes(sizePx, count).map((shape) => ({
        shape,
        data: new Float32Array(shape[0] * shape[1] * shape[2]),
      }));
      for (let i = 0; i < count; i++) {
        const random = createRandom(seed, `evaluate ${purpose} noise`, first + i);
        for (const { shape, data } of maps) {
          const [, height, width] = shape;
          data.set(random.normal([height, width]).data, i * height * width);
        }
      }
      return maps;
    },
  };
}
