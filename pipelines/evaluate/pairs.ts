/**
 * Student and teacher image by image, on the same latents and noise.
 *
 * @module
 */
import type { AnyMetric, HostArray } from "../../core/contracts.ts";
import { psnr } from "../../metrics/distance.ts";
import type { DetailSums } from "./detail.ts";
import type { EvaluationFeatures } from "./features.ts";
import { firstImages } from "./image_sets.ts";
import { type Latents, latentsFor } from "./latents.ts";
import type { RunningSubject } from "./subjects.ts";
import type { Tick } from "./tracked.ts";

/** The same latents through both networks. */
export interface PairedImages {
  readonly student: HostArray;
  readonly teacher: HostArray;
}

/** Pairs of images by the index of their latent. */
export interface Pairs {
  readonly count: number;
  /** Pairs of consecutive indices. */
  batches(tick: Tick): AsyncGenerator<PairedImages>;
  /** Pairs of any indices. */
  at(indices: readonly number[]): Promise<PairedImages>;
}

/** Opens the pairs of a student and its teacher. */
export function openPairs(
  { student, teacher }: { readonly student: RunningSubject; readonly teacher: RunningSubject },
  { seed, count, batch }: {
    readonly seed: number;
    readonly count: number;
    readonly batch: number;
  },
): Pairs {
  const latents = latentsFor({ seed, purpose: "images" }, teacher.generator.config);
  const run = async (some: Latents, first: number, size: number) => {
    const [z, noise] = [some.z(first, batch), some.noise(first, batch)];
    const imagesOf = async ({ running }: RunningSubject) =>
      firstImages((await running.images(await running.styles(z), noise, { batch })).image, size);
    return { student: await imagesOf(student), teacher: await imagesOf(teacher) };
  };
  return {
    count,
    async *batches(tick) {
      for (let first = 0; first < count; first += batch) {
        const pair = await run(latents, first, Math.min(batch, count - first));
        yield pair;
        tick(2 * pair.teacher.shape[0]!);
      }
    },
    async at(indices) {
      const some = picked(latents, indices);
      const parts: PairedImages[] = [];
      for (let first = 0; first < indices.length; first += batch) {
        parts.push(await run(some, first, Math.min(batch, indices.length - first)));
      }
      return {
        student: stacked(parts.map((part) => part.student)),
        teacher: stacked(parts.map((part) => part.teacher)),
      };
    },
  };
}

/** The latents of these indices one after the other; the last again where a batch has more. */
function picked(latents: Latents, indices: readonly number[]): Latents {
  const each = <T>(first: number, count: number, one: (index: number) => T): T[] =>
    Array.from(
      { length: count },
      (_, i) => one(indices[Math.min(first + i, indices.length - 1)]!),
    );
  return {
    z: (first, count) => stacked(each(first, count, (index) => latents.z(index, 1))),
    noise: (first, count) => {
      const maps = each(first, count, (index) => latents.noise(index, 1));
      return maps[0]!.map((_, layer) => stacked(maps.map((of) => of[layer]!)));
    },
  };
}

/** Arrays below each other. */
export function stacked(arrays: readonly HostArray[]): HostArray {
  const [, ...rest] = arrays[0]!.shape;
  const data = new Float32Array(arrays.reduce((sum, array) => sum + array.data.length, 0));
  let at = 0;
  for (const array of arrays) {
    data.set(array.data, at);
    at += array.data.length;
  }
  return { shape: [arrays.reduce((sum, { shape }) => sum + shape[0]!, 0), ...rest], data };
}

/** What the pairs of a student and its teacher gave. */
export interface MeasuredPairs {
  /** Of the metric `distance`. */
  readonly values: Readonly<Record<string, number>>;
  /** PSNR of every pair in dB. */
  readonly psnr: readonly number[];
}

/** Runs the distance metric over the pairs. */
export async function measurePairs(
  pairs: Pairs,
  { metric, options, network, detail, tick }: {
    readonly metric: AnyMetric;
    readonly options: unknown;
    readonly network: EvaluationFeatures | undefined;
    /** Sums up differences per band on the way. */
    readonly detail?: DetailSums | undefined;
    readonly tick: Tick;
  },
): Promise<MeasuredPairs> {
  const decibels: number[] = [];
  const waiting: HostArray[] = []; // the metric reads both streams in step
  async function* students() {
    for await (const { student, teacher } of pairs.batches(tick)) {
      decibels.push(...psnr(student, teacher));
      detail?.add(student, teacher);
      waiting.push(teacher);
      yield student;
    }
  }
  async function* teachers() {
    while (waiting.length > 0) yield await Promise.resolve(waiting.shift()!);
  }
  const distance = network &&
    ((left: HostArray, right: HostArray) => network.distance(left, right));
  const values = await metric.compute({
    images: students(),
    reference: teachers(),
    ...distance && { distance },
  }, options);
  return { values, psnr: decibels };
}

/**
 * The distance of the teacher's mean image to its images: what knowing nothing of the latent gives.
 * The mean is that of other images than those it is compared with.
 */
export async function measureMeanImage(
  teacher: RunningSubject,
  { metric, options, network, seed, count, batch, tick }: {
    readonly metric: AnyMetric;
    readonly options: unknown;
    readonly network: EvaluationFeatures | undefined;
    readonly seed: number;
    readonly count: number;
    readonly batch: number;
    readonly tick: Tick;
  },
): Promise<Readonly<Record<string, number>>> {
  const { generator, running } = teacher;
  async function* imagesFor(purpose: "images" | "reference", total: number) {
    const latents = latentsFor({ seed, purpose }, generator.config);
    for (let first = 0; first < total; first += batch) {
      const w = await running.styles(latents.z(first, batch));
      const { image } = await running.images(w, latents.noise(first, batch), { batch });
      const some = firstImages(image, Math.min(batch, total - first));
      yield some;
      tick(some.shape[0]!);
    }
  }
  const mean = new Float64Array(3 * generator.config.sizePx ** 2);
  for await (const { data } of imagesFor("reference", MEAN_IMAGES)) {
    data.forEach((value, i) => mean[i % mean.length]! += value / MEAN_IMAGES);
  }
  const counts: number[] = [];
  async function* images() {
    for await (const some of imagesFor("images", count)) {
      counts.push(some.shape[0]!);
      yield some;
    }
  }
  async function* means() {
    const { sizePx } = generator.config;
    while (counts.length > 0) {
      const n = counts.shift()!;
      const data = Float32Array.from({ length: n * mean.length }, (_, i) => mean[i % mean.length]!);
      yield await Promise.resolve({ shape: [n, sizePx, sizePx, 3], data });
    }
  }
  const distance = network &&
    ((left: HostArray, right: HostArray) => network.distance(left, right));
  return await metric.compute({
    images: images(),
    reference: means(),
    ...distance && { distance },
  }, options);
}

/** Images of which the mean image is made. */
export const MEAN_IMAGES = 256;
