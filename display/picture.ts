/**
 * Values as PNG: images `[N,H,W,C]` as a grid, charts, pictures that are PNG already.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { HostArray } from "../core/contracts.ts";
import { imageGrid, type ImageGridOptions } from "../io/png.ts";
import type { MimeBundle } from "./kernel.ts";

const WIDTH_PX = 640; // small images are enlarged up to this
const MAX_SCALE = 4;

/** A PNG as an output of a cell. `scale` is how many of its pixels make one unit of the page. */
export function pngBundle(png: Uint8Array, text: string, scale = 1): MimeBundle {
  const { width, height } = pngSize(png);
  return {
    data: { "image/png": Buffer.from(png).toString("base64"), "text/plain": text },
    ...scale !== 1 && {
      metadata: { "image/png": { width: width / scale, height: height / scale } },
    },
  };
}

/** Whether bytes are a PNG. */
export function isPng(bytes: Uint8Array): boolean {
  return [0x89, 0x50, 0x4e, 0x47].every((byte, i) => bytes[i] === byte);
}

/** Size in pixels, from the header. */
export function pngSize(png: Uint8Array): { readonly width: number; readonly height: number } {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

const ONE_ROW = 8;

/** One row for few; else a grid about twice as wide as high, without a gap if that is near. */
export function columnsFor(count: number): number {
  if (count <= ONE_ROW) return count;
  const wanted = Math.ceil(Math.sqrt(2 * count));
  for (let columns = wanted; columns <= Math.min(2 * wanted, count); columns++) {
    if (count % columns === 0) return columns;
  }
  return wanted;
}

/** `[H,W,C]` as a batch of one, and grey as three equal colours. */
function asColorBatch({ shape, data }: HostArray): HostArray {
  const batch = shape.length === 3 ? [1, ...shape] : [...shape];
  if (batch.length !== 4 || batch[3] !== 1) return { shape: batch, data };
  const colors = new Float32Array(3 * data.length);
  data.forEach((value, i) => colors.fill(value, 3 * i, 3 * i + 3));
  return { shape: [...batch.slice(0, 3), 3], data: colors };
}

/** A grid of images, enlarged where they are small. */
export async function gridOf(images: HostArray, options: ImageGridOptions): Promise<Uint8Array> {
  const batch = asColorBatch(images);
  const [count = 1, , width = 1] = batch.shape;
  const { columns = columnsFor(count), gapPx = 2 } = options;
  const scale = Math.floor(WIDTH_PX / (columns * (width + gapPx)));
  return await imageGrid(batch, {
    columns,
    scale: Math.max(1, Math.min(MAX_SCALE, scale)),
    ...options,
  });
}
