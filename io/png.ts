/**
 * Pictures: grids of images as PNG, and PNG or JPEG files as arrays.
 *
 * @module
 */
import { Jimp, loadFont, measureText } from "jimp";
import { SANS_16_BLACK, SANS_8_BLACK } from "jimp/fonts";
import { Buffer } from "node:buffer";
import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { HostArray } from "../core/contracts.ts";
import { fromBytes, toBytes } from "../core/pixels.ts";
import { writeFileAtomic } from "./atomic_write.ts";

/** How a grid is laid out. */
export interface ImageGridOptions {
  /** Images per row; by default as many as make the grid about square. */
  readonly columns?: number;
  /** White pixels between cells (not around the grid); 2 by default. */
  readonly gapPx?: number;
  /** Side of the square that every pixel becomes; 1 by default. Never blurs. */
  readonly scale?: number;
  /** One text per row (Latin-1), printed to the left of it. */
  readonly labels?: readonly string[];
}

/**
 * Draws images `[N,H,W,3]` in [-1, 1] row by row into one PNG.
 *
 * Bytes are those of {@linkcode toBytes}: truncated, as for metrics. Empty cells are white.
 *
 * @returns The bytes of the PNG, which a notebook shows as they are.
 * @throws {RangeError} If the shape, the layout or the number of labels does not fit.
 */
export async function imageGrid(
  images: HostArray,
  options: ImageGridOptions = {},
): Promise<Uint8Array> {
  const [count, height, width] = imageShape(images);
  const { columns = Math.ceil(Math.sqrt(count)), gapPx = 2, scale = 1 } = options;
  // What the font has no glyph for is printed, but not measured, as a question mark.
  const labels = options.labels?.map((text) => text.replace(/[^\x20-\x7e\xa0-\xff]/g, "?"));
  checkInteger("columns", columns, 1);
  checkInteger("gapPx", gapPx, 0);
  checkInteger("scale", scale, 1);
  const rows = Math.ceil(count / columns);
  if (labels && labels.length !== rows) {
    throw new RangeError(
      `Cannot draw an image grid: expected one label for each of ${rows} rows but received ` +
        `${labels.length}`,
    );
  }
  const cell = { height: height * scale, width: width * scale };
  // The larger font needs 16 px and its margin.
  const font = labels && await loadFont(fontUrl(cell.height >= 20 ? SANS_16_BLACK : SANS_8_BLACK));
  const margin = font
    ? Math.max(0, ...labels.map((text) => measureText(font, text))) + 2 * LABEL_PADDING_PX
    : 0;
  const shownColumns = Math.min(columns, count);
  const canvas = {
    width: margin + shownColumns * (cell.width + gapPx) - gapPx,
    height: rows * (cell.height + gapPx) - gapPx,
  };
  const data = Buffer.alloc(canvas.width * canvas.height * 4, 255);
  const bytes = toBytes(images.data);
  for (let i = 0; i < count; i++) {
    drawImage(bytes.subarray(i * height * width * 3), { height, width, scale }, {
      data,
      canvasWidth: canvas.width,
      left: margin + (i % columns) * (cell.width + gapPx),
      top: Math.floor(i / columns) * (cell.height + gapPx),
    });
  }
  const image = Jimp.fromBitmap({ data, ...canvas });
  if (font) {
    labels.forEach((text, row) => {
      const middle = row * (cell.height + gapPx) + cell.height / 2;
      const y = Math.max(0, Math.round(middle - font.common.lineHeight / 2));
      image.print({ font, x: LABEL_PADDING_PX, y, text });
    });
  }
  return new Uint8Array(await image.getBuffer("image/png"));
}

const LABEL_PADDING_PX = 4;

/** Writes a picture, whole or not at all; makes its folder. */
export async function writePicture(path: string | URL, bytes: Uint8Array): Promise<void> {
  const target = path instanceof URL ? fileURLToPath(path) : path;
  await Deno.mkdir(dirname(target), { recursive: true });
  await writeFileAtomic(target, [bytes]);
}

/**
 * Reads a PNG or JPEG file (or BMP, GIF, TIFF) as `[H,W,3]` in [-1, 1].
 *
 * Transparency is laid on white; a JPEG's EXIF orientation is applied.
 *
 * @throws {SyntaxError} If the file is no such picture.
 */
export async function readImage(path: string | URL): Promise<HostArray> {
  const name = path instanceof URL ? path.href : path;
  return await decodeImage(await Deno.readFile(path), name);
}

/** The same for bytes; `name` stands in the error. */
export async function decodeImage(bytes: Uint8Array, name = "bytes"): Promise<HostArray> {
  let bitmap;
  try {
    ({ bitmap } = await Jimp.fromBuffer(Buffer.from(bytes)));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SyntaxError(
      `Cannot read the image "${name}": expected PNG or JPEG but received "${reason}"`,
      { cause },
    );
  }
  const { width, height, data } = bitmap;
  return { shape: [height, width, 3], data: fromBytes(flattenAlpha(data)) };
}

/** Lays RGBA bytes on white. */
function flattenAlpha(rgba: ArrayLike<number>): Uint8Array {
  const rgb = new Uint8Array(rgba.length / 4 * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    const alpha = rgba[from + 3]! / 255;
    for (let c = 0; c < 3; c++) {
      rgb[to++] = Math.round(rgba[from + c]! * alpha + 255 * (1 - alpha));
    }
  }
  return rgb;
}

/** Jimp refuses a bare path under Deno. */
const fontUrl = (path: string) => path.startsWith("file:") ? path : pathToFileURL(path).href;

function drawImage(
  rgb: Uint8Array,
  { height, width, scale }: { height: number; width: number; scale: number },
  { data, canvasWidth, left, top }: {
    data: Buffer;
    canvasWidth: number;
    left: number;
    top: number;
  },
): void {
  for (let y = 0; y < height * scale; y++) {
    const source = Math.floor(y / scale) * width;
    let to = ((top + y) * canvasWidth + left) * 4;
    for (let x = 0; x < width * scale; x++, to += 4) {
      const from = (source + Math.floor(x / scale)) * 3;
      data[to] = rgb[from]!;
      data[to + 1] = rgb[from + 1]!;
      data[to + 2] = rgb[from + 2]!;
    }
  }
}

function imageShape({ shape }: HostArray): readonly [number, number, number] {
  const [count, height, width, channels] = shape;
  if (shape.length !== 4 || channels !== 3 || !count || !height || !width) {
    throw new RangeError(
      `Cannot draw an image grid: expected images of shape [N,H,W,3] but received [${shape}]`,
    );
  }
  return [count, height, width];
}

function checkInteger(name: string, value: number, minimum: number): void {
  if (!Number.isInteger(value) || value < minimum) {
    throw new RangeError(
      `Cannot draw an image grid: expected ${name} to be an integer from ${minimum} on but ` +
        `received ${value}`,
    );
  }
}
