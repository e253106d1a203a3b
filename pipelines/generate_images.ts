/**
 * Generators for users: seeds to images.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../core/contracts.ts";
import { lift } from "../core/flat.ts";
import { under } from "../core/params.ts";
import { createRandom } from "../core/random.ts";
import type { Engine } from "../engine/mod.ts";
import { noiseShapes } from "../networks/config.ts";
import type { Generator } from "../networks/generator.ts";
import { mapping } from "../networks/mapping.ts";
import { openGenerator, type RunningGenerator } from "./run_generator.ts";

/** Latents of seeds: `[N,D]`, each a function of its seed only. */
export function latentsOf(seeds: readonly number[], styleDim: number): HostArray {
  const data = new Float32Array(seeds.length * styleDim);
  seeds.forEach((seed, i) =>
    data.set(createRandom(seed, "latent").normal([styleDim]).data, i * styleDim)
  );
  return { shape: [seeds.length, styleDim], data };
}

/** Noise maps `[1,r,r,1]` of a seed, shared by all images. */
export function noiseOf(seed: number, sizePx: number): HostArray[] {
  const random = createRandom(seed, "noise maps");
  return noiseShapes(sizePx).map((shape) => random.normal(shape));
}

/** Which images {@linkcode generateImages} makes: of seeds, or of styles. */
export interface GenerateOptions {
  /** Each seed is an image, whatever the others are. */
  readonly seeds?: readonly number[];
  /** Styles `[N,D]` or `[N,L,D]` instead of seeds. */
  readonly w?: HostArray;
  /** Psi of the truncation trick: 1 leaves styles as they are, 0 gives the mean image. */
  readonly truncation?: number;
  /** Noise maps `[1 or N,r,r,1]`; by default those of `noiseSeed`, shared by all images. */
  readonly noise?: readonly HostArray[];
  /** Seed of the noise maps; 0 by default. */
  readonly noiseSeed?: number;
  /** Images per run of the graph; by default 16, and fewer of more than 128 px. */
  readonly batch?: number;
}

/**
 * Generates images: `[N,S,S,3]` in about [-1, 1], not clamped.
 *
 * @throws {TypeError} If there are neither seeds nor styles, or both.
 * @throws {RangeError} If they are empty, a seed is no whole number, or noise maps are those of another number of images.
 */
export async function generateImages(
  generator: Generator,
  options: GenerateOptions,
  { engine }: { readonly engine: Engine },
): Promise<HostArray> {
  const running = openGenerator(generator, engine);
  try {
    return await drawImages(running, options);
  } finally {
    await running.dispose();
  }
}

/** The same by a generator that is open, which is compiled once for all calls. */
export async function drawImages(
  running: RunningGenerator,
  options: GenerateOptions,
): Promise<HostArray> {
  const { seeds, truncation = 1, noiseSeed = 0, batch } = options;
  if ((seeds === undefined) === (options.w === undefined)) {
    throw new TypeError(
      `Cannot generate images: expected either "seeds" or "w" but received ${
        seeds ? "both" : "neither"
      }`,
    );
  }
  if (seeds?.length === 0 || options.w?.shape[0] === 0) {
    throw new RangeError("Cannot generate images: expected seeds or styles but received none");
  }
  const wrong = seeds?.find((seed) => !Number.isSafeInteger(seed) || seed < 0);
  if (wrong !== undefined) {
    throw new RangeError(
      `Cannot generate images: expected seeds to be whole numbers from 0 on but received ${wrong}`,
    );
  }
  const { sizePx, styleDim } = running.generator.config;
  const w = options.w
    ? await running.truncate(options.w, truncation)
    : await running.styles(latentsOf(seeds!, styleDim), { truncation });
  const noise = options.noise ?? noiseOf(noiseSeed, sizePx);
  return (await running.images(w, noise, { batch })).image;
}

/** The mean style of 10,000 latents of a fixed seed, `[D]`: what truncation moves towards. */
export async function estimateMeanStyle(
  { config, weights }: Generator,
  { engine, samples = 10_000 }: { readonly engine: Engine; readonly samples?: number },
): Promise<HostArray> {
  const run = engine.compile(
    ({ z }: { z: tf.Tensor }) => {
      const w = mapping(under(lift(weights), "mapping"), z as tf.Tensor2D, config);
      return { mean: tf.mean(w, 0) };
    },
    { name: "mean style" },
  );
  const z = createRandom(0, "mean style").normal([samples, config.styleDim]);
  const { mean } = await run({ z });
  await run.dispose();
  return mean;
}
