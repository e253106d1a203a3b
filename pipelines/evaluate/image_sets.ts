/**
 * The sets of images that an evaluation compares, and what is kept of them.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import type { HostArray } from "../../core/contracts.ts";
import { collectFeatures } from "../../core/feature_stream.ts";
import { type ByteImages, bytesOf, type ImageStream } from "../../core/image_stream.ts";
import { fromBytes } from "../../core/pixels.ts";
import type { ImageSource } from "../../data/image_source.ts";
import type { ArrayCache, Numbers } from "../../io/array_cache.ts";
import { createGaussianSums, type GaussianStatistics } from "../../metrics/fid.ts";
import type { EvaluationFeatures } from "./features.ts";
import type { Latents } from "./latents.ts";
import type { RunningSubject } from "./subjects.ts";
import type { Tick } from "./tracked.ts";

/** A set of images that can be read more than once. */
export interface ImageSet {
  /** In tables: `student`, `teacher, other latents`. */
  readonly label: string;
  readonly count: number;
  /** Equal for equal images: the key of what is kept on disk. */
  identity(): Promise<string>;
  /** Batches `[N,S,S,3]` in about [-1, 1]. */
  batches(): AsyncIterable<HostArray>;
}

/** Images of latents. */
export function generatedSet(
  { generator, checksum, running }: RunningSubject,
  { label, latents, identity, count, batch }: {
    readonly label: string;
    readonly latents: Latents;
    /** Says which latents these are. */
    readonly identity: string;
    readonly count: number;
    readonly batch: number;
  },
): ImageSet {
  return {
    label,
    count,
    identity: () =>
      Promise.resolve(
        JSON.stringify([generator.kind, generator.config, checksum, identity, count]),
      ),
    async *batches() {
      for (let first = 0; first < count; first += batch) {
        const size = Math.min(batch, count - first);
        // Always whole batches, so that one graph serves all.
        const { image } = await running.images(
          await running.styles(latents.z(first, batch)),
          latents.noise(first, batch),
          { batch },
        );
        yield firstImages(image, size);
      }
    },
  };
}

/** Real images from `first` on. */
export function realSet(
  source: ImageSource,
  { label, first, count, batch }: {
    readonly label: string;
    readonly first: number;
    readonly count: number;
    readonly batch: number;
  },
): ImageSet {
  async function* batches() {
    for (let at = 0; at < count; at += batch) {
      const size = Math.min(batch, count - at);
      yield await source.batch(Array.from({ length: size }, (_, i) => first + at + i));
    }
  }
  return {
    label,
    count,
    batches,
    async identity() {
      if (source.length === Infinity) return JSON.stringify([source.name, first, count]);
      // A folder's name says little of what is in it.
      let sum = 0;
      for await (const { data } of batches()) {
        sum = crc32(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), sum);
      }
      return JSON.stringify([source.name, first, count, sum]);
    },
  };
}

/** The first images of a batch. */
export function firstImages(images: HostArray, count: number): HostArray {
  const [length, ...rest] = images.shape as [number, ...number[]];
  if (length === count) return images;
  const size = images.data.length / length;
  return { shape: [count, ...rest], data: images.data.subarray(0, count * size) };
}

/** What metrics need of a set. */
export interface Needs {
  /** The images themselves, as bytes: so many of the first. */
  readonly images: number;
  /** Mean and covariance of features. */
  readonly statistics: boolean;
  /** The features of every image. */
  readonly features: boolean;
}

/** What was kept of a set. */
export interface MeasuredSet {
  readonly set: ImageSet;
  /** The first images, of which there may be fewer than the set has. */
  readonly bytes: ByteImages | undefined;
  /** By the label of the features. */
  readonly byFeatures: ReadonlyMap<string, MeasuredFeatures>;
}

/** What was kept of the features of a set. */
export interface MeasuredFeatures {
  readonly statistics?: GaussianStatistics;
  /** `[N,D]` */
  readonly features?: HostArray;
}

/** Reads a set once, and keeps what is needed of it, in memory and on disk. */
export async function measureSet(
  set: ImageSet,
  { needs, networks, cache, tick }: {
    readonly needs: Needs;
    readonly networks: readonly EvaluationFeatures[];
    readonly cache: ArrayCache | undefined;
    readonly tick: Tick;
  },
): Promise<MeasuredSet> {
  const byFeatures = new Map<string, MeasuredFeatures>();
  const open: { network: EvaluationFeatures; key: string; collector: Collector }[] = [];
  if (needs.statistics || needs.features) {
    for (const network of networks) {
      const key = JSON.stringify([CACHE_VERSION, await set.identity(), network.label]);
      const known = cache && restored(await cache.read(key), needs);
      if (known) byFeatures.set(network.label, known);
      else open.push({ network, key, collector: createCollector(needs) });
    }
  }
  const kept: ByteImages[] = [];
  let seen = 0;
  if (open.length > 0 || needs.images > 0) {
    for await (const batch of set.batches()) {
      const count = batch.shape[0]!;
      if (seen < needs.images) {
        kept.push(bytesOf(firstImages(batch, Math.min(count, needs.images - seen))));
      }
      for (const { network, collector } of open) collector.add(await network.vectors(batch));
      seen += count;
      tick(count);
      if (open.length === 0 && seen >= needs.images) break;
    }
  }
  tick(set.count - seen); // what needed no work
  for (const { network, key, collector } of open) {
    const measured = await collector.finish();
    byFeatures.set(network.label, measured);
    await cache?.write(key, stored(measured));
  }
  return { set, bytes: kept.length > 0 ? joined(kept) : undefined, byFeatures };
}

/** Kept images as a stream. */
export async function* imagesOf({ height, width, data }: ByteImages): ImageStream {
  const size = height * width * 3;
  for (let at = 0; at < data.length; at += size * STREAM_BATCH) {
    const bytes = data.subarray(at, at + size * STREAM_BATCH);
    const shape = [bytes.length / size, height, width, 3];
    yield await Promise.resolve({ shape, data: fromBytes(bytes) });
  }
}

const STREAM_BATCH = 64;
/** Raised whenever the protocol changes, so that old numbers are not read. */
const CACHE_VERSION = 1;

interface Collector {
  add(features: HostArray): void;
  finish(): Promise<MeasuredFeatures>;
}

function createCollector({ statistics, features }: Needs): Collector {
  const sums = statistics ? createGaussianSums() : undefined;
  const rows: HostArray[] = [];
  return {
    add(batch) {
      sums?.add(batch);
      if (features) rows.push(batch);
    },
    async finish() {
      return {
        ...sums && { statistics: sums.statistics() },
        ...features && { features: await collectFeatures(rows) },
      };
    },
  };
}

function joined(parts: readonly ByteImages[]): ByteImages {
  const { height, width } = parts[0]!;
  const data = new Uint8Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return { height, width, data, count: data.length / (height * width * 3) };
}

function stored({ statistics, features }: MeasuredFeatures): Record<string, Numbers> {
  return {
    ...statistics && {
      count: Float64Array.of(statistics.count),
      mean: statistics.mean,
      covariance: statistics.covariance,
    },
    ...features && {
      shape: Float64Array.from(features.shape),
      features: features.data,
    },
  };
}

/** What is on disk, if it is all that is needed. */
function restored(
  arrays: Readonly<Record<string, Numbers>> | undefined,
  needs: Needs,
): MeasuredFeatures | undefined {
  if (!arrays) return undefined;
  const { count, mean, covariance, shape, features } = arrays;
  if (needs.statistics && !covariance || needs.features && !features) return undefined;
  return {
    ...covariance && {
      statistics: {
        count: count![0]!,
        mean: mean as Float64Array,
        covariance: covariance as Float64Array,
      },
    },
    ...features && {
      features: { shape: [...shape!], data: features as Float32Array },
    },
  };
}
