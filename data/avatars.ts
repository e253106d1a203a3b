/**
 * Endless portraits to train a teacher on: Open Peeps by Pablo Stanley (CC0 1.0), assembled by
 * DiceBear from drawn parts and rendered here.
 *
 * Nothing is downloaded and nobody's likeness is used. Image `i` is a pure function of `i`.
 *
 * @module
 */
import { join } from "node:path";
import { checkSizePx, createImageSource, type ImageSource } from "./image_source.ts";
import { defaultCacheDir, openPixelCache } from "./pixel_cache.ts";

/** Raised whenever the pictures change, so that old caches are not read. */
const VERSION = 1;

/** Where avatars are kept, and at which size. */
export interface AvatarOptions {
  /** Side of the square images. */
  readonly sizePx: number;
  /** Folder for rendered images; by default the user's cache folder, `null` for none. */
  readonly cacheDir?: string | null;
  /** How many images, from index 0 on, are kept; 20,000 of 64 px take 246 MB. */
  readonly cachedImages?: number;
}

/**
 * Opens the endless set of avatars. An image takes about 3 ms the first time, then it is read.
 *
 * @throws {RangeError} If the size is not an integer from 4 to 4096.
 */
export async function openAvatars(
  { sizePx, cacheDir = defaultCacheDir(), cachedImages = 20_000 }: AvatarOptions,
): Promise<ImageSource> {
  checkSizePx(sizePx);
  // DiceBear's drawings are a quarter of what a program loads at its start: only who wants them.
  const { renderAvatar } = await import("./draw_avatar.ts");
  const cache = cacheDir === null ? null : await openPixelCache({
    folder: join(cacheDir, `avatars-v${VERSION}-${sizePx}px`),
    sizePx,
  });
  return createImageSource({
    name: `Open Peeps avatars, ${sizePx} px`,
    sizePx,
    length: Infinity,
    async load(indices) {
      const images = new Map<number, Uint8Array>();
      const cacheable = indices.filter((index) => cache && index < cachedImages);
      const stored = await cache?.read(cacheable) ?? [];
      stored.forEach((pixels, i) => pixels && images.set(cacheable[i]!, pixels));
      const rendered = new Map<number, Uint8Array>();
      for (const index of indices) {
        if (images.has(index)) continue;
        const pixels = renderAvatar(index, sizePx);
        images.set(index, pixels);
        if (index < cachedImages) rendered.set(index, pixels);
      }
      if (cache && rendered.size > 0) await cache.write(rendered);
      return indices.map((index) => images.get(index)!);
    },
  });
}
