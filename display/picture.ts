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
const MAX_WIDTH_PX = 2048; // large ones are reduced to this: a notebook holds every pixel
const LIVE_ROWS = 4; // of a grid that is drawn again and again
const LIVE_CELL_PX = 128;

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

/** The mean of every square of `factor` pixels; images `[N,H,W,3]` of other sizes stay as they are. */
function reduced(images: HostArray, factor: number): HostArray {
  const [count, height, width, colors] = images.shape as [number, number, number, number];
  if (factor <= 1 || height % factor !== 0 || width % factor !== 0) return images;
  const [h, w] = [height / factor, width / factor];
  const data = new Float32Array(count * h * w * colors);
  for (let from = 0; from < images.data.length; from++) {
    const [c, pixel] = [from % colors, Math.floor(from / colors)];
    const [x, row] = [pixel % width, Math.floor(pixel / width)];
    const to = (Math.floor(row / factor) * w + Math.floor(x / factor)) * colors + c;
    data[to]! += images.data[from]! / factor ** 2;
  }
  return { shape: [count, h, w, colors], data };
}

/** A power of two that makes `size` at most `limit`. */
const factorFor = (size: number, limit: number) =>
  2 ** Math.max(0, Math.ceil(Math.log2(size / limit)));

/** A grid of images, enlarged where they are small, reduced where it would be huge. */
export async function gridOf(images: HostArray, options: ImageGridOptions): Promise<Uint8Array> {
  const batch = asColorBatch(images);
  const [count = 1, , width = 1] = batch.shape;
  const { columns = columnsFor(count), gapPx = 2 } = options;
  const row = columns * (width + gapPx);
  const scale = Math.max(1, Math.min(MAX_SCALE, Math.floor(WIDTH_PX / row)));
  const factor = options.scale === undefined ? factorFor(row, MAX_WIDTH_PX) : 1;
  return await imageGrid(reduced(batch, factor), { columns, scale, ...options });
}

/** The first rows of a grid as small pictures: for what is drawn again and again. */
export async function liveGridOf(
  images: HostArray,
  { columns, labels }: { readonly columns: number; readonly labels?: readonly string[] },
): Promise<Uint8Array> {
  const [count, height, width, colors] = images.shape as [number, number, number, number];
  const shown = Math.min(count, LIVE_ROWS * columns);
  const first = {
    shape: [shown, height, width, colors],
    data: images.data.subarray(0, shown * height * width * colors),
  };
  const rows = Math.ceil(shown / columns);
  return await imageGrid(reduced(first, factorFor(width, LIVE_CELL_PX)), {
    columns,
    ...labels && { labels: labels.slice(0, rows) },
  });
}
