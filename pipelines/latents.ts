/**
 * The random inputs of a training step: functions of the seed and of the images' indices, the same
 * however a run is split or resumed.
 *
 * @module
 */
import type { HostArray } from "../core/contracts.ts";
import { createRandom } from "../core/random.ts";
import { noiseShapes } from "../networks/config.ts";

/** What {@linkcode drawLatents} needs to know of a run. */
export interface LatentOptions {
  readonly seed: number;
  readonly batch: number;
  readonly styleDim: number;
  /** Rows of W+ of the network that is trained with. */
  readonly layers: number;
  /** Probability that an image mixes two styles. */
  readonly styleMixing: number;
}

/** Latents of the images from `first` on. */
export interface Latents<T = HostArray> {
  /** `[N,D]`; with mixing `[2N,D]`: the second styles follow the first. */
  readonly z: T;
  /** `[N,L,1]`: 1 where a layer takes the second style; none without mixing. */
  readonly mix: readonly T[];
}

/** Draws latents, and with mixing a second one and the layer from which it is used. */
export function drawLatents(
  { seed, batch, styleDim, layers, styleMixing }: LatentOptions,
  first: number,
): Latents {
  const copies = styleMixing > 0 ? 2 : 1;
  const z = new Float32Array(copies * batch * styleDim);
  const mask = new Float32Array(batch * layers);
  for (let i = 0; i < batch; i++) {
    z.set(createRandom(seed, "z", first + i).normal([styleDim]).data, i * styleDim);
    if (copies === 1) continue;
    const random = createRandom(seed, "mix", first + i);
    if (random.next() >= styleMixing) continue;
    z.set(random.normal([styleDim]).data, (batch + i) * styleDim);
    mask.fill(1, i * layers + 1 + random.integer(layers - 1), (i + 1) * layers);
  }
  return {
    z: { shape: [copies * batch, styleDim], data: z },
    mix: copies === 1 ? [] : [{ shape: [batch, layers, 1], data: mask }],
  };
}

/** Noise maps `[1,r,r,1]` of the batch that begins with image `first`. */
export function drawNoise(seed: number, first: number, sizePx: number): HostArray[] {
  const random = createRandom(seed, "noise", first);
  return noiseShapes(sizePx).map((shape) => random.normal(shape));
}
