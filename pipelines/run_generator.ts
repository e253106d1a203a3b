/**
 * Runs generators on the engine: latents to styles, styles and noise to images.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../core/contracts.ts";
import { lift } from "../core/flat.ts";
import { under } from "../core/params.ts";
import type { Engine } from "../engine/mod.ts";
import { inverseHaar } from "../layers/haar.ts";
import { noiseShapes, studentLastPx } from "../networks/config.ts";
import type { Generator } from "../networks/generator.ts";
import { mapping, truncate } from "../networks/mapping.ts";
import { mobileSynthesis } from "../networks/mobile_synthesis.ts";
import { synthesis } from "../networks/synthesis.ts";
import { besides, imageLanes } from "./micro_batches.ts";

/** What a generator makes of styles. */
export interface GeneratorOutput<T = HostArray> {
  /** `[N,S,S,3]`, in about [-1, 1], not clamped. */
  readonly image: T;
  /** A student's wavelet bands `[N,r,r,12]`, coarsest first, if asked for; a teacher has none. */
  readonly heads: readonly T[];
}

/** A generator on an engine. Dispose it, or its sessions stay. */
export interface RunningGenerator<G extends Generator = Generator> {
  /** Whose images they are. */
  readonly generator: G;
  /** Latents `[N,D]` to styles `[N,D]`, moved towards the mean style by `truncation`. */
  styles(z: HostArray, options?: { readonly truncation?: number }): Promise<HostArray>;
  /** Moves styles `[N,D]` or `[N,L,D]` towards the mean style. */
  truncate(w: HostArray, truncation: number): Promise<HostArray>;
  /**
   * Styles `[N,D]` or `[N,L,D]` and noise `[1 or N,r,r,1]` to images, `batch` at a time; by default
   * {@linkcode imagesPerRun}. Many small ones are drawn in parts side by side, a part a thread. With
   * `heads`, a student's bands too: those that the image does not need are not computed else.
   */
  images(
    w: HostArray,
    noise: readonly HostArray[],
    options?: { readonly batch?: number | undefined; readonly heads?: boolean },
  ): Promise<GeneratorOutput>;
  dispose(): Promise<void>;
}

/**
 * Images that a run of a generator makes if nothing else is said: 16 at most, and so many that
 * StyleGAN2's config-f needs about a gigabyte for them.
 */
export function imagesPerRun(sizePx: number): number {
  return Math.max(1, Math.min(16, Math.floor(2 ** 18 / sizePx ** 2)));
}

/** Traced: the images and the bands of styles. */
export function runSynthesis(
  generator: Generator,
  { w, noise }: { readonly w: tf.Tensor; readonly noise: readonly tf.Tensor4D[] },
): GeneratorOutput<tf.Tensor> {
  const params = under(lift(generator.weights), "synthesis");
  if (generator.kind === "teacher") {
    return { image: synthesis(params, { w, noise }, generator.config), heads: [] };
  }
  const own = noise.slice(0, noiseShapes(studentLastPx(generator.config)).length);
  const heads = mobileSynthesis(params, { w, noise: own }, generator.config, generator.parts);
  return { image: inverseHaar(heads.at(-1)!), heads };
}

/** Prepares a generator; it is compiled when it first runs. */
export function openGenerator<G extends Generator>(
  generator: G,
  engine: Engine,
): RunningGenerator<G> {
  const { config, weights, kind } = generator;
  const mappingParams = () => under(lift(weights), "mapping");
  const toStyles = engine.compile(
    ({ z }: { z: tf.Tensor }) => mapping(mappingParams(), z as tf.Tensor2D, config),
    { name: `mapping of the ${kind}` },
  );
  const pull = engine.compile(
    ({ w, mean, psi }: { w: tf.Tensor; mean: tf.Tensor; psi: tf.Tensor }) =>
      truncate(w, mean, { psi }),
    { name: "truncation" },
  );
  const synthesise = (lanes: number, wantsHeads: boolean) =>
    engine.compile(
      ({ w, noise }: { w: tf.Tensor; noise: tf.Tensor[] }) => {
        const { image, heads } = runSynthesis(generator, { w, noise: noise as tf.Tensor4D[] });
        return { image, heads: wantsHeads ? heads : [] };
      },
      { name: `synthesis of the ${kind}`, lanes },
    );
  const opened = new Map<string, ReturnType<typeof synthesise>>();
  const truncated = async (w: HostArray, truncation: number) => {
    const mean = weights["mapping.w_mean"];
    if (truncation === 1 || !mean) return w;
    return await pull({ w, mean, psi: { shape: [], data: Float32Array.of(truncation) } });
  };
  return {
    generator,
    styles: async (z, { truncation = 1 } = {}) => truncated(await toStyles({ z }), truncation),
    truncate: truncated,
    images: async (w, noise, { batch = imagesPerRun(config.sizePx), heads = false } = {}) => {
      const count = w.shape[0]!;
      expectNoiseOf(count, noise);
      const together = Math.min(batch, count);
      const lanes = imageLanes(engine, together, config.sizePx);
      const kind = `${lanes} ${heads}`;
      const toImages = opened.get(kind) ?? synthesise(lanes, heads);
      opened.set(kind, toImages);
      return await inParts(count, { size: together / lanes, lanes }, (first, size) =>
        toImages({
          w: rows(w, first, size),
          noise: noise.map((map) => map.shape[0] === 1 ? map : rows(map, first, size)),
        }));
    },
    dispose: async () => {
      for (const each of [toStyles, pull, ...opened.values()]) await each.dispose();
    },
  };
}

/** Draws images in parts of a size: every lane one after the other, until one has failed. */
async function inParts(
  count: number,
  { size, lanes }: { readonly size: number; readonly lanes: number },
  draw: (first: number, size: number) => Promise<GeneratorOutput>,
): Promise<GeneratorOutput> {
  let all: GeneratorOutput | undefined;
  let failed = false;
  const put = (first: number, part: GeneratorOutput) => {
    all ??= { image: ofCount(count, part.image), heads: part.heads.map((h) => ofCount(count, h)) };
    putRows(all.image, first, part.image);
    part.heads.forEach((head, i) => putRows(all!.heads[i]!, first, head));
  };
  await besides(lanes, async (lane) => {
    try {
      for (let first = lane * size; first < count && !failed; first += lanes * size) {
        put(first, await draw(first, size));
      }
    } catch (error) {
      failed = true;
      throw error;
    }
  });
  return all!;
}

function expectNoiseOf(count: number, noise: readonly HostArray[]): void {
  const wrong = noise.find(({ shape: [maps] }) => maps !== 1 && maps !== count);
  if (!wrong) return;
  throw new RangeError(
    `Cannot generate images: expected noise maps of one image or of all ${count} but received some of ${
      wrong.shape[0]
    }`,
  );
}

/** `size` rows from `first` on; missing ones repeat the last, so that one graph serves all batches. */
function rows({ shape, data }: HostArray, first: number, size: number): HostArray {
  const length = data.length / shape[0]!;
  const taken = new Float32Array(size * length);
  for (let i = 0; i < size; i++) {
    const from = Math.min(first + i, shape[0]! - 1) * length;
    taken.set(data.subarray(from, from + length), i * length);
  }
  return { shape: [size, ...shape.slice(1)], data: taken };
}

/** Room for so many rows like these. */
function ofCount(count: number, { shape, data }: HostArray): HostArray {
  const length = data.length / shape[0]!;
  return { shape: [count, ...shape.slice(1)], data: new Float32Array(count * length) };
}

/** Copies rows to their place, without those that are too many. */
function putRows(all: HostArray, first: number, { shape, data }: HostArray): void {
  const at = first * data.length / shape[0]!;
  all.data.set(data.subarray(0, all.data.length - at), at);
}
