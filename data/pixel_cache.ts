/**
 * Rendered or decoded images on disk: fixed-size records in a few large files.
 *
 * A record is the RGB bytes of one image and their MD5 sum. It is written in place, so that one
 * image can be stored or read alone. What a kill cut short, or was never written (a hole of zeros),
 * fails its sum and counts as absent. Two processes that fill the same cache write the same
 * bytes to the same place.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";

/** Bytes of an MD5 sum: against accidents, not against attacks. */
const SUM_SIZE = 16;

/** Stored images by index. */
export interface PixelCache {
  /** The images, `undefined` for those that are absent. */
  read(indices: readonly number[]): Promise<(Uint8Array | undefined)[]>;
  /** Stores images under their indices. */
  write(images: ReadonlyMap<number, Uint8Array>): Promise<void>;
}

/** The system's folder for this user's caches, where none is named. */
export function defaultCacheDir(): string {
  const named = Deno.env.get("XDG_CACHE_HOME");
  if (named) return join(named, "haarlem");
  const home = Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE") ?? ".";
  if (Deno.build.os === "windows") {
    return join(Deno.env.get("LOCALAPPDATA") ?? join(home, "AppData", "Local"), "haarlem");
  }
  return Deno.build.os === "darwin"
    ? join(home, "Library", "Caches", "haarlem")
    : join(home, ".cache", "haarlem");
}

/** A cache that ends with the process. */
export function createMemoryCache(): PixelCache {
  const images = new Map<number, Uint8Array>();
  return {
    read: (indices) => Promise.resolve(indices.map((index) => images.get(index))),
    write(added) {
      for (const [index, pixels] of added) images.set(index, pixels);
      return Promise.resolve();
    },
  };
}

/**
 * Opens a cache of images of one size. A folder holds one version of one set of images.
 *
 * @throws {Error} If the folder cannot be made.
 */
export async function openPixelCache(
  { folder, sizePx, imagesPerFile = 1000 }: {
    readonly folder: string;
    readonly sizePx: number;
    readonly imagesPerFile?: number;
  },
): Promise<PixelCache> {
  const imageSize = sizePx * sizePx * 3;
  const recordSize = imageSize + SUM_SIZE;
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `Cannot make the image cache "${folder}": expected a writable folder but received ` +
        `"${reason}"; name another one as cacheDir, or null for none`,
      { cause },
    );
  }
  const byFile = (indices: Iterable<number>) =>
    [...Map.groupBy(indices, (index) => Math.floor(index / imagesPerFile))].map((
      [file, group],
    ) => ({ path: join(folder, `${String(file).padStart(6, "0")}.rgb`), group }));
  const offsetOf = (index: number) => (index % imagesPerFile) * recordSize;

  return {
    async read(indices) {
      const images = new Map<number, Uint8Array>();
      for (const { path, group } of byFile(new Set(indices))) {
        using file = await openExisting(path);
        if (!file) continue;
        for (const index of group) {
          const record = await readRecord(file, offsetOf(index), recordSize);
          if (record) images.set(index, record);
        }
      }
      return indices.map((index) => images.get(index));
    },
    async write(added) {
      for (const { path, group } of byFile(added.keys())) {
        using file = await Deno.open(path, { write: true, create: true });
        for (const index of group) await writeRecord(file, offsetOf(index), added.get(index)!);
      }
    },
  };
}

const sumOf = (pixels: Uint8Array) => createHash("md5").update(pixels).digest();

async function openExisting(path: string): Promise<Deno.FsFile | null> {
  try {
    return await Deno.open(path, { read: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** The image of a record, or null if it is absent or damaged. */
async function readRecord(
  file: Deno.FsFile,
  offset: number,
  recordSize: number,
): Promise<Uint8Array | null> {
  const record = new Uint8Array(recordSize);
  await file.seek(offset, Deno.SeekMode.Start);
  for (let done = 0; done < recordSize;) {
    const count = await file.read(record.subarray(done));
    if (count === null) return null;
    done += count;
  }
  const pixels = record.subarray(0, recordSize - SUM_SIZE);
  return sumOf(pixels).equals(record.subarray(pixels.length)) ? pixels : null;
}

async function writeRecord(file: Deno.FsFile, offset: number, pixels: Uint8Array): Promise<void> {
  const record = new Uint8Array(pixels.length + SUM_SIZE);
  record.set(pixels);
  record.set(sumOf(pixels), pixels.length);
  await file.seek(offset, Deno.SeekMode.Start);
  for (let done = 0; done < record.length;) done += await file.write(record.subarray(done));
}
