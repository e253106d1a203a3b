/**
 * Runs generators: seeds or styles to images.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { HostArray, Params } from "../core/contracts.ts";
import { lift } from "../core/flat.ts";
import { under } from "../core/params.ts";
import { createRandom } from "../core/random.ts";
import type { Engine } from "../engine/mod.ts";
import { inverseHaar } from "../layers/haar.ts";
import { noiseShapes } from "../networks/config.ts";
import type { Generator } from "../networks/generator.ts";
import { mapping } from "../networks/mapping.ts";
import { mobileSynthesis } from "../networks/mobile_synthesis.ts";
import { synthesis } from "../networks/synthesis.ts";

/** The image of styles, for a teacher or a student: `[N,S,S,3]`. */
export function imageOf(
  { weights: _, ...generator }: Generator,
  params: Params,
  inputs: { readonly w: tf.Tensor; readonly noise: readonly tf.Tensor4D[] },
): tf.Tensor4D {
  const own = under(params, "synthesis");
  if (generator.kind === "teacher") return synthesis(own, inputs, generator.config);
  const noise = inputs.noise.slice(0, noiseShapes(generator.config.sizePx / 2).length);
  const bands = mobileSynthesis(own, { ...inputs, noise }, generator.config, generator.parts);
  return inverseHaar(bands.at(-1)!);
}

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

/** Which images {@linkcode generateImages} makes. */
export interface GenerateOptions {
  /** One image each. */
  readonly seeds: readonly number[];
  /** Psi of the truncation trick; 1 leaves styles as they are. */
  readonly truncation?: number;
  /** Seed of the noise maps, which all images share. */
  readonly noiseSeed?: number;
  /** Images per run of the graph. */
  readonly batch?: number;
}

/** Images of seeds: `[N,S,S,3]`, in about [-1, 1]. */
export async function generateImages(
  generator: Generator,
  { seeds, truncation = 1, noiseSeed = 0, batch = 16 }: GenerateOptions,
  { engine }: { readonly engine: Engine },
): Promise<HostArray> {
  const { config, weights } = generator;
  const run = engine.compile(
    ({ z, psi, noise }: { z: tf.Tensor; psi: tf.Tensor; noise: tf.Tensor[] }) => {
      const params = lift(weights);
      const own = under(params, "mapping");
      const w = mapping(own, z as tf.Tensor2D, config);
      const mean = tf.mul(own["w_mean"]!, tf.sub(1, psi));
      const inputs = { w: tf.add(tf.mul(w, psi), mean), noise: noise as tf.Tensor4D[] };
      return { image: imageOf(generator, params, inputs) };
    },
    { name: `generate (${generator.kind})` },
  );
  const noise = noiseOf(noiseSeed, config.sizePx);
  const psi = { shape: [], data: Float32Array.of(truncation) };
  const data = new Float32Array(seeds.length * config.sizePx ** 2 * 3);
  try {
    for (let i = 0; i < seeds.length; i += batch) {
      // The last batch is filled up with its first seed, so that one graph serves all.
      const some = Array.from(
        { length: Math.min(batch, seeds.length) },
        (_, k) => seeds[i + k] ?? seeds[i]!,
      );
      const { image } = await run({ z: latentsOf(some, config.styleDim), psi, noise });
      const size = config.sizePx ** 2 * 3;
      data.set(image.data.subarray(0, Math.min(batch, seeds.length - i) * size), i * size);
    }
  } finally {
    await run.dispose();
  }
  return { shape: [seeds.length, config.sizePx, config.sizePx, 3], data };
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
