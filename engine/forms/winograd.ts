import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";
import {
  PIXELS,
  PRODUCTS,
  REACH,
  RESULTS,
  TAPS,
  TILE,
  tilesOf,
  TURNED_TAPS,
  type WinogradAttributes,
  type WinogradFilterAttributes,
} from "../winograd.ts";
import type { BlockedNode } from "./blocked_node.ts";
import type { Shape4D } from "./blocked_weight.ts";

/** What a strip of tiles reads and makes. */
interface Strip {
  /** Its rows of tiles: image, and row within it. */
  readonly rows: readonly (readonly [image: number, row: number])[];
  /** Columns of tiles. */
  readonly columns: number;
}

/**
 * Fewest tiles of a strip, whose numbers should stay in the caches while the filter, read anew for every
 * strip, costs less than its products. ONNX Runtime also packs it anew.
 */
const FEWEST_TILES = { onnxruntime: 256, openvino: 128, webgpu: 256 };
const CHANNELS_PER_TILE = 4;

/** A convolution by products. */
export function winogradConv2D(op: Op, l: Lowering): boolean {
  const [out] = op.outputs as [number];
  if (l.canBlock(out)) l.put(out, blocked(op, l), "blocked");
  else l.put(out, channelsLast(op, l));
  return true;
}

/** The same for what is merged into it: a depthwise convolution by one does that in one pass. */
export function winogradBuild(op: Op, l: Lowering): BlockedNode | undefined {
  const [out] = op.outputs as [number];
  if (!l.canBlock(out)) return undefined;
  const group = l.shape(out)[3]!;
  const ones = l.float(new Float32Array(group).fill(1), [group, 1, 1, 1]);
  return { inputs: [blocked(op, l), ones], attributes: { group } };
}

const blocked = (op: Op, l: Lowering): string =>
  l.emit("com.microsoft.nchwc/ReorderInput", [channelsLast(op, l)], { channels_last: 1 });

/** The result with channels last: strip after strip, each in four steps over rows of channels. */
function channelsLast({ inputs, attributes, outputs: [out] }: Op, l: Lowering): string {
  const [x, filter] = inputs as [number, number];
  const { before } = attributes as WinogradAttributes;
  const [n, height, width, from] = l.shape(x) as Shape4D;
  const [, h, w, to] = l.shape(out!) as Shape4D;
  const pixels = l.reshape(l.get(x, "channelsLast"), [n * height * width, from]);
  const zeros = l.float(new Float32Array(from), [1, from]);
  const given = l.emit("Concat", [pixels, zeros], { axis: 0 }); // the last row is what lies outside
  const each = Math.max(FEWEST_TILES[l.target], Math.ceil(from / CHANNELS_PER_TILE));
  const made = stripsOf(n, tilesOf(h, w), each).map((strip) => {
    const tiles = strip.rows.length * strip.columns;
    const read = readBy(strip, { before, height, width, outside: n * height * width });
    const images = l.emit("Gather", [given, l.constant(read, [PRODUCTS, tiles], "int32")]);
    const flat = l.reshape(images, [PRODUCTS, tiles * from]);
    const left = l.emit("MatMul", [l.float(PIXELS, [PRODUCTS, PRODUCTS]), flat]);
    const products = l.emit("MatMul", [l.reshape(left, [PRODUCTS, tiles, from]), l.get(filter)]);
    const rows = l.reshape(products, [PRODUCTS, tiles * to]);
    const results = l.emit("MatMul", [l.float(RESULTS, [TILE * TILE, PRODUCTS]), rows]);
    const order = orderOf(strip, h, w);
    const places = l.constant(order, [order.length], "int32");
    return l.emit("Gather", [l.reshape(results, [TILE * TILE * tiles, to]), places]);
  });
  const whole = made.length === 1 ? made[0]! : l.emit("Concat", made, { axis: 0 });
  return l.reshape(whole, [n, h, w, to]);
}

/** A filter as the products want it; of a constant one the runtime computes that once. */
export function winogradFilter({ inputs, attributes, outputs }: Op, l: Lowering): boolean {
  const { adjoint } = attributes as WinogradFilterAttributes;
  const [filter] = inputs as [number];
  const [, , ci, co] = l.shape(filter) as Shape4D;
  const matrix = l.float(adjoint ? TURNED_TAPS : TAPS, [PRODUCTS, 9]);
  const product = l.emit("MatMul", [matrix, l.reshape(l.get(filter), [9, ci * co])]);
  const taps = l.reshape(product, [PRODUCTS, ci, co]);
  l.put(outputs[0]!, adjoint ? l.transpose(taps, [0, 2, 1]) : taps);
  return true;
}

/** Strips of whole rows of tiles, with `each` tiles or a little more. */
function stripsOf(
  images: number,
  [rows, columns]: readonly [number, number],
  each: number,
): readonly Strip[] {
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

/** Which row of pixels every place of every tile reads, `[36,tiles]`. */
function readBy(
  { rows, columns }: Strip,
  { before: [top, left], height, width, outside }: {
    readonly before: readonly [number, number];
    readonly height: number;
    readonly width: number;
    readonly outside: number;
  },
): Int32Array {
  const places = new Int32Array(PRODUCTS * rows.length * columns);
  let i = 0;
  for (let place = 0; place < PRODUCTS; place++) {
    for (const [image, row] of rows) {
      const y = row * TILE + Math.floor(place / REACH) - top;
      for (let column = 0; column < columns; column++) {
        const x = column * TILE + place % REACH - left;
        const inside = y >= 0 && y < height && x >= 0 && x < width;
        places[i++] = inside ? (image * height + y) * width + x : outside;
      }
    }
  }
  return places;
}

/** Which number of the tiles, `[16,tiles]`, every pixel of a strip is; those beyond the border are none. */
function orderOf({ rows, columns }: Strip, h: number, w: number): Int32Array {
  const tiles = rows.length * columns;
  const order: number[] = [];
  for (const [i, [, row]] of rows.entries()) {
    const height = Math.min(TILE, h - row * TILE);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < w; x++) {
        order.push((y * TILE + x % TILE) * tiles + i * columns + Math.floor(x / TILE));
      }
    }
  }
  return Int32Array.from(order);
}
