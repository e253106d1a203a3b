/**
 * A folder of pictures as training data: decoded, cropped and resized once, then read from a cache.
 *
 * @module
 */
import { Jimp } from "jimp";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { basename, join, resolve } from "node:path";
import { checkSizePx, createImageSource, type ImageSource } from "./image_source.ts";
import {
  createMemoryCache,
  defaultCacheDir,
  openPixelCache,
  type PixelCache,
} from "./pixel_cache.ts";

/** Raised whenever the pixels of a file change, so that old caches are not read. */
const VERSION = 1;
const EXTENSION_REGEXP = /\.(png|jpe?g)$/i;

/** A file that was left out. */
export interface BadFile {
  /** Relative to the folder, with `/`. */
  readonly path: string;
  /** Why it cannot be read. */
  readonly reason: string;
}

/** The readable images of a folder, in the order of their paths. */
export interface ImageFolder extends ImageSource {
  /** Path of each image relative to the folder, with `/`. */
  readonly paths: readonly string[];
  /** Files that look like images by their names and cannot be read. */
  readonly badFiles: readonly BadFile[];
}

/** Which folder, at which size, and what to call meanwhile. */
export interface ImageFolderOptions {
  /** The folder; its subfolders are read too. */
  readonly folder: string;
  /** Side of the square images; smaller pictures are enlarged. */
  readonly sizePx: number;
  /** Folder for decoded images; by default the user's cache folder, `null` for memory. */
  readonly cacheDir?: string | null;
  /** Called for each file that is left out. */
  readonly onBadFile?: (file: BadFile) => void;
  /** Called as files are prepared. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends the preparation; the next one goes on where it stopped. */
  readonly signal?: AbortSignal;
}

/**
 * Opens all PNG and JPEG files of a folder and its subfolders, hidden ones aside.
 *
 * Every picture is cropped to its central square and resized by area averaging; transparency is
 * laid on white, a JPEG's EXIF orientation is applied. The first time every file is decoded, so
 * that unreadable ones have no index; later the cache is used until a file changes its size or
 * time.
 *
 * @throws {RangeError} If there is no readable image, or the size is not an integer from 4 to 4096.
 */
export async function openImageFolder(options: ImageFolderOptions): Promise<ImageFolder> {
  const { folder, sizePx, cacheDir = defaultCacheDir() } = options;
  checkSizePx(sizePx);
  const files = await listFiles(folder);
  if (files.length === 0) {
    throw new RangeError(
      `Cannot open the image folder "${folder}": expected PNG or JPEG files but received none`,
    );
  }
  const cacheFolder = cacheDir === null
    ? null
    : join(cacheDir, `folder-${fingerprint(folder, files)}-${sizePx}px`);
  const cache = cacheFolder === null
    ? createMemoryCache()
    : await openPixelCache({ folder: cacheFolder, sizePx });

  const known = cacheFolder === null ? null : await readBadFiles(cacheFolder);
  const badFiles = known ?? await prepare(files, cache, options);
  if (cacheFolder !== null && !known) await writeBadFiles(cacheFolder, badFiles);
  for (const file of badFiles) options.onBadFile?.(file);
  const bad = new Set(badFiles.map(({ path }) => path));
  const good = files.map((_, position) => position).filter((at) => !bad.has(files[at]!.path));
  const [first] = badFiles;
  if (first && good.length === 0) {
    throw new RangeError(
      `Cannot open the image folder "${folder}": expected a readable image but received ` +
        `${badFiles.length} unreadable files, the first "${first.path}" with "${first.reason}"`,
    );
  }
  const source = createImageSource({
    name: `${basename(resolve(folder))}, ${sizePx} px`,
    sizePx,
    length: good.length,
    async load(indices) {
      const positions = indices.map((index) => good[index]!);
      const images = await cache.read(positions);
      return await Promise.all(images.map(async (pixels, i) => {
        if (pixels) return pixels;
        const decoded = await decodeSquare(files[positions[i]!]!.fullPath, sizePx);
        await cache.write(new Map([[positions[i]!, decoded]]));
        return decoded;
      }));
    },
  });
  return { ...source, paths: good.map((position) => files[position]!.path), badFiles };
}

interface File {
  readonly path: string;
  readonly fullPath: string;
  readonly size: number;
  readonly time: number;
}

async function listFiles(folder: string): Promise<File[]> {
  const files: File[] = [];
  const walk = async (prefix: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(join(folder, prefix))) {
      if (name.startsWith(".")) continue;
      const path = prefix + name;
      if (isDirectory) await walk(`${path}/`);
      else if (EXTENSION_REGEXP.test(name)) {
        const fullPath = join(folder, path);
        const { size, mtime, isFile } = await Deno.stat(fullPath); // follows links to files
        if (isFile) files.push({ path, fullPath, size, time: mtime?.getTime() ?? 0 });
      }
    }
  };
  try {
    await walk("");
  } catch (cause) {
    throw new Error(
      `Cannot open the image folder "${folder}": expected a readable folder but received ` +
        `"${reasonOf(cause)}"`,
      { cause },
    );
  }
  return files.sort((left, right) => left.path < right.path ? -1 : 1);
}

/** Changes with the set of files and with each file. */
function fingerprint(folder: string, files: readonly File[]): string {
  const hash = createHash("sha256").update(`${VERSION}\n${resolve(folder)}`);
  for (const { path, size, time } of files) hash.update(`\n${path}\0${size}\0${time}`);
  return hash.digest("hex").slice(0, 16);
}

/** Decodes what is not yet in the cache; gives what cannot be decoded. */
async function prepare(
  files: readonly File[],
  cache: PixelCache,
  { sizePx, onProgress, signal }: ImageFolderOptions,
): Promise<BadFile[]> {
  const badFiles: BadFile[] = [];
  for (const [position, { path, fullPath }] of files.entries()) {
    signal?.throwIfAborted();
    const [known] = await cache.read([position]);
    if (!known) {
      const decoded = await decodeSquare(fullPath, sizePx).catch((error) => error as unknown);
      if (decoded instanceof Uint8Array) await cache.write(new Map([[position, decoded]]));
      else badFiles.push({ path, reason: reasonOf(decoded) });
    }
    onProgress?.(position + 1, files.length);
  }
  return badFiles;
}

/** Bytes of the central square of a picture at the wanted size. */
async function decodeSquare(path: string, sizePx: number): Promise<Uint8Array> {
  const image = await Jimp.fromBuffer(Buffer.from(await Deno.readFile(path)));
  const { width, height } = image.bitmap;
  const side = Math.min(width, height);
  image.crop({
    x: Math.floor((width - side) / 2),
    y: Math.floor((height - side) / 2),
    w: side,
    h: side,
  });
  // Before resizing: the color behind full transparency is arbitrary and must not bleed.
  layOnWhite(image.bitmap.data);
  if (side !== sizePx) image.resize({ w: sizePx, h: sizePx }); // Jimp's default averages areas
  const { data } = image.bitmap;
  const rgb = new Uint8Array(sizePx * sizePx * 3);
  for (let i = 0; i < sizePx * sizePx; i++) rgb.set(data.subarray(i * 4, i * 4 + 3), i * 3);
  return rgb;
}

function layOnWhite(rgba: Buffer): void {
  for (let i = 0; i < rgba.length; i += 4) {
    const alpha = rgba[i + 3]! / 255;
    if (alpha === 1) continue;
    for (let c = i; c < i + 3; c++) rgba[c] = Math.round(rgba[c]! * alpha + 255 * (1 - alpha));
    rgba[i + 3] = 255;
  }
}

/** The bad files of a folder that was prepared to its end, else null. */
async function readBadFiles(cacheFolder: string): Promise<readonly BadFile[] | null> {
  try {
    return JSON.parse(await Deno.readTextFile(join(cacheFolder, "bad_files.json")));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Renamed into place, so that it is whole or absent. */
async function writeBadFiles(cacheFolder: string, badFiles: readonly BadFile[]): Promise<void> {
  const path = join(cacheFolder, "bad_files.json");
  const temporary = `${path}.${Deno.pid}-${performance.now()}.part`;
  await Deno.writeTextFile(temporary, JSON.stringify(badFiles, null, 2));
  await Deno.rename(temporary, path);
}

const reasonOf = (error: unknown) => error instanceof Error ? error.message : String(error);
