/**
 * Real images for training and evaluation, by index: the same index gives the same image in every
 * process, so a run that is resumed or split over batches sees the same data.
 *
 * @module
 */
import type { HostArray } from "../core/contracts.ts";
import { fromBytes } from "../core/pixels.ts";

/** A set of square colour images. */
export interface ImageSource {
  /** For reports: what the images are, with their size. */
  readonly name: string;
  /** Side of every image. */
  readonly sizePx: number;
  /** Number of images; `Infinity` when they are made on demand. */
  readonly length: number;
  /** Bytes of one image, row-major height, width, RGB. */
  read(index: number): Promise<Uint8Array>;
  /** `[N,S,S,3]` in [-1, 1], in the order of the indices; repetitions are fine. */
  batch(indices: readonly number[]): Promise<HostArray>;
}

/** What a source must know; the rest follows from it. */
export interface ImageSourceOptions {
  readonly name: string;
  readonly sizePx: number;
  readonly length: number;
  /** Bytes of the images at these indices, which are valid. */
  load(indices: readonly number[]): Promise<readonly Uint8Array[]>;
}

/** Completes a source: checks indices, converts to floats. */
export function createImageSource(
  { name, sizePx, length, load }: ImageSourceOptions,
): ImageSource {
  const loadChecked = (indices: readonly number[]): Promise<readonly Uint8Array[]> => {
    for (const index of indices) {
      if (!Number.isSafeInteger(index) || index < 0 || index >= length) {
        throw new RangeError(
          `Cannot read an image of "${name}": expected an index from 0 to ${
            length === Infinity ? "2^53 - 1" : length - 1
          } but received ${index}`,
        );
      }
    }
    return load(indices);
  };
  return {
    name,
    sizePx,
    length,
    async read(index) {
      const [pixels] = await loadChecked([index]);
      return pixels!;
    },
    async batch(indices) {
      const images = await loadChecked(indices);
      const imageSize = sizePx * sizePx * 3;
      const data = new Float32Array(images.length * imageSize);
      images.forEach((pixels, i) => data.set(fromBytes(pixels), i * imageSize));
      return { shape: [images.length, sizePx, sizePx, 3], data };
    },
  };
}

/** Refuses a size that no network of this package has. */
export function checkSizePx(sizePx: number): void {
  if (!Number.isInteger(sizePx) || sizePx < 4 || sizePx > 4096) {
    throw new RangeError(
      `Cannot open images: expected sizePx to be an integer from 4 to 4096 but received ${sizePx}`,
    );
  }
}
