/**
 * What tiles read: strips of tiles, the pixels within them, and what those are transformed to.
 *
 * @module
 */
import type { Lowering } from "../lowering.ts";
import { PIXELS, PRODUCTS, REACH, RESULT_GRADIENTS, TILE, tilesOf } from "../winograd.ts";
import type { Shape4D } from "./blocked_weight.ts";

/** Tiles that go through all steps together. */
export interface Strip {
  /** Its rows of tiles: image, and row within it. */
  readonly rows: readonly (readonly [image: number, row: number])[];
  /** Columns of tiles. */
  readonly columns: number;
}

/** Tiles of a strip. */
export function sizeOfStrip({ rows, columns }: Strip): number {
  return rows.length * columns;
}

type Grid = readonly [rows: number, columns: number];

/** Strips of whole rows of tiles, with `each` tiles or a little more. */
function stripsOf(images: number, [rows, columns]: Grid, each: number): readonly Strip[] {
  const all = Array.from(
    { length: images * rows },
    (_, i) => [Math.floor(i / rows), i % rows] as const,
  );
  const count = Math.max(1, Math.floor(all.length * columns / each));
  const perStrip = Math.ceil(all.length / count);
  return Array.from({ length: Math.ceil(all.length / perStrip) }, (_, i) => ({
    rows: all.slice(i * perStrip, (i + 1) * perStrip),
    columns,
  }));
}

/**
 * Pixels of images, a row of channels each. What lies outside of an image is the row after the last one:
 * OpenVINO takes zeros for a row that is not there (its `Gather` of version 8), others need one.
 */
function rowsOfPixels(l: Lowering, id: number): string {
  return l.shared(`rows of pixels of ${id}`, () => {
    const [n, h, w, c] = l.shape(id) as Shape4D;
    const rows = l.reshape(l.get(id, "channelsLast"), [n * h * w, c]);
    if (l.target === "openvino") return rows;
    return l.emit("Concat", [rows, l.float(new Float32Array(c), [1, c])], { axis: 0 });
  });
}

/**
 * Fewest tiles of a strip, whose numbers should stay in the caches while the filter, read anew for every
 * strip, costs less than its products. ONNX Runtime also packs it anew.
 */
const FEWEST_TILES = { onnxruntime: 256, openvino: 128, webgpu: 256 };
const CHANNELS_PER_TILE = 4;
/** Most strips of gradients, in which a node costs more to open than larger strips do to run. */
const MOST_STRIPS = 8;

/** The fewest tiles of a strip of images with so many channels. */
function fewestTiles({ target }: Lowering, channels: number): number {
  return Math.max(FEWEST_TILES[target], Math.ceil(channels / CHANNELS_PER_TILE));
}

/** The strips in which a convolution reads images to make others of some size. */
export function stripsOfConvolution(
  l: Lowering,
  id: number,
  [, h, w]: Shape4D,
): readonly Strip[] {
  const [images, , , channels] = l.shape(id) as Shape4D;
  return stripsOf(images, tilesOf(h, w), fewestTiles(l, channels));
}

/** Strips whose products are added up, and how many images they keep apart. */
export interface StripGroup {
  readonly images: number;
  readonly strips: readonly Strip[];
}

/** The strips of its gradients: all of them, or (`isApart`) those of some images or of parts of one. */
export function stripsOfGradients(
  l: Lowering,
  id: number,
  [, h, w]: Shape4D,
  isApart: boolean,
): readonly StripGroup[] {
  const [all, , , channels] = l.shape(id) as Shape4D;
  const grid = tilesOf(h, w);
  const tiles = grid[0] * grid[1];
  const each = Math.max(fewestTiles(l, channels), Math.ceil(all * tiles / MOST_STRIPS));
  if (!isApart) return [{ images: 1, strips: stripsOf(all, grid, each) }];
  const together = Math.max(1, Math.floor(each / tiles));
  return Array.from({ length: Math.ceil(all / together) }, (_, i) => {
    const images = Math.min(together, all - i * together);
    const strips = stripsOf(images, grid, images > 1 ? Infinity : each).map((strip) => ({
      ...strip,
      rows: strip.rows.map(([image, row]) => [i * together + image, row] as const),
    }));
    return { images, strips };
  });
}

/**
 * What a convolution multiplies of a strip, `[36,tiles,channels]`: the pixels that its tiles read,
 * transformed, with `before` rows and columns of zeros before the image.
 */
export function transformedPixels(
  l: Lowering,
  id: number,
  before: readonly [number, number],
  strip: Strip,
): string {
  return transformed(l, id, strip, { size: REACH, before, matrix: PIXELS });
}

/** The same for both gradients of a convolution, once. */
export function sharedPixels(...[l, id, before, strip]: Parameters<typeof transformedPixels>) {
  const key = `pixels of ${id} from ${before}, ${strip.columns} columns, ${strip.rows.join(" ")}`;
  return l.shared(key, () => transformedPixels(l, id, before, strip));
}

/** The same of tiles beside each other: on the way to a filter's gradient. */
export function transformedTiles(l: Lowering, id: number, strip: Strip): string {
  return transformed(l, id, strip, { size: TILE, before: [0, 0], matrix: RESULT_GRADIENTS });
}

function transformed(
  l: Lowering,
  id: number,
  strip: Strip,
  { size, before, matrix }: {
    readonly size: number;
    readonly before: readonly [number, number];
    readonly matrix: Float32Array;
  },
): string {
  const shape = l.shape(id) as Shape4D;
  const [places, tiles] = [size * size, sizeOfStrip(strip)];
  const rows = l.constant(placesOf(strip, size, before, shape), [places, tiles], "int32");
  const read = l.emit("Gather", [rowsOfPixels(l, id), rows]);
  const flat = l.reshape(read, [places, tiles * shape[3]]);
  const made = l.emit("MatMul", [l.float(matrix, [PRODUCTS, places]), flat]);
  return l.reshape(made, [PRODUCTS, tiles, shape[3]]);
}

/** Which of the {@linkcode rowsOfPixels} is where in every tile, `[size * size,tiles]`. */
function placesOf(
  { rows, columns }: Strip,
  size: number,
  [top, left]: readonly [number, number],
  [n, height, width]: Shape4D,
): Int32Array {
  const places = new Int32Array(size * size * rows.length * columns);
  let i = 0;
  for (let place = 0; place < size * size; place++) {
    for (const [image, row] of rows) {
      const y = row * TILE + Math.floor(place / size) - top;
      for (let column = 0; column < columns; column++) {
        const x = column * TILE + place % size - left;
        const inside = y >= 0 && y < height && x >= 0 && x < width;
        places[i++] = inside ? (image * height + y) * width + x : n * height * width;
      }
    }
  }
  return places;
}
