/**
 * Haar transforms in ONNX Runtime's blocked layout: a grouped convolution per block of channels, most
 * of whose weights are zero, which is still faster than leaving the layout (`docs/performance.md`).
 *
 * A group holds the four bands of b channels: the block of their low bands and the three of their
 * high ones, which the transform lays elsewhere (`C + 3c + k`), so blocks are moved before or after.
 *
 * @module
 */
import { bandsToPixels, haarMatrix } from "../../core/haar_matrix.ts";
import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";
import type { BandOrder } from "../passes/reorder_bands.ts";
import { sizeOf } from "../rule.ts";
import { transformedRows } from "./pixel_rows.ts";

/** Where bands of a group lie: `[band, channel]` of each of its 4b places. */
function placesOf(b: number): (readonly [number, number])[] {
  const low = Array.from({ length: b }, (_, channel) => [0, channel] as const);
  const high = Array.from({ length: 3 * b }, (_, i) => [1 + i % 3, Math.floor(i / 3)] as const);
  return [...low, ...high];
}

/** The block of low bands of each of `count` groups, then its three of high ones. */
function groupOrder(count: number): number[] {
  return Array.from({ length: count }, (_, j) => [j, ...[0, 1, 2].map((t) => count + 3 * j + t)])
    .flat();
}

/** The order in which the inverse would rather read bands, where it is computed in blocks of `b`. */
export function blockedOrder(b: number): BandOrder {
  return (bands) =>
    b > 0 && bands % (4 * b) === 0
      ? groupOrder(bands / 4 / b).flatMap((block) =>
        Array.from({ length: b }, (_, lane) => block * b + lane)
      )
      : undefined;
}

/** Blocks in another order: `[N,blocks,H,W,b]` with `order` of them. */
function moved(l: Lowering, name: string, order: readonly number[]): string {
  if (order.every((block, i) => block === i)) return name;
  return l.emit("Gather", [name, l.integers(order)], { axis: 1 });
}

/** The transform: pixels of a block of channels become its bands. */
export function blockedHaar({ inputs: [x], outputs: [out] }: Op, l: Lowering): boolean {
  if (!l.canBlock(x!)) return false;
  const b = l.block;
  const [n, h, w, c4] = l.shape(out!) as [number, number, number, number];
  const count = c4 / 4 / b;
  const group = new Float32Array(16 * b * b); // [4 of out,2,2,b of in,b of out]
  placesOf(b).forEach(([band, channel], place) => {
    const [block, lane] = [Math.floor(place / b), place % b];
    haarMatrix[band]!.forEach((number, pixel) => {
      group[((block * 4 + pixel) * b + channel) * b + lane] = number;
    });
  });
  const weight = l.float(repeated(group, count), [c4, b, 2, 2]);
  const bands = l.emit("com.microsoft.nchwc/Conv", [l.get(x!, "blocked"), weight], {
    group: count,
    strides: [2, 2],
  });
  const order = groupOrder(count);
  const back = order.map((_, block) => order.indexOf(block));
  l.put(out!, moved(l, l.reshape(bands, [n, 4 * count, h, w, b]), back), "spread");
  return true;
}

/** The matrix of each group times numbers per band, and per image if there are so many. */
function scaled(l: Lowering, matrix: string, scale: number, order: readonly number[]): string {
  const b = l.block;
  const blocks = order.length;
  const images = sizeOf(l.shape(scale)) / (blocks * b);
  const numbers = moved(l, l.reshape(l.get(scale), [images, blocks, b]), order);
  const factors = l.reshape(numbers, [images, blocks / 4, 1, 4, b, 1]);
  return l.emit("Mul", [matrix, factors]);
}

/**
 * The inverse: bands, multiplied by numbers first if there are any, become four
 * images of one parity each, whose pixels then interleave.
 */
export function blockedInverseHaar(
  { inputs: [x, scale], attributes, outputs: [out] }: Op,
  l: Lowering,
): boolean {
  if (!l.canBlock(out!)) {
    if (scale !== undefined || !l.has(x!, "padded")) return false;
    l.put(out!, transformedRows(l, x!, bandsToPixels(l.shape(out!)[3]!), 2));
    return true;
  }
  const b = l.block;
  const [n, h, w, c4] = l.shape(x!) as [number, number, number, number];
  const count = c4 / 4 / b;
  const group = new Float32Array(16 * b * b); // [4 of out,4 of in,b of in,b of out]
  placesOf(b).forEach(([band, channel], place) => {
    const [block, lane] = [Math.floor(place / b), place % b];
    haarMatrix[band]!.forEach((number, pixel) => {
      group[((pixel * 4 + block) * b + lane) * b + channel] = number;
    });
  });
  const order = attributes["reordered"] ? [...Array(4 * count).keys()] : groupOrder(count);
  const grouped = moved(l, l.get(x!, "spread"), order);
  const matrix = l.float(repeated(group, count), [count, 4, 4, b, b]);
  const images = scale === undefined ? 1 : sizeOf(l.shape(scale)) / c4; // with weights of their own
  const pixels = l.emit("com.microsoft.nchwc/Conv", [
    l.reshape(grouped, images === 1 ? [n, c4, h, w] : [1, n * c4, h, w]),
    l.reshape(
      scale === undefined ? matrix : scaled(l, matrix, scale, order),
      [images * c4, 4 * b, 1, 1],
    ),
  ], { group: images * count });
  const parities = l.reshape(pixels, [n * count, 2, 2, h, w, b]);
  const image = l.transpose(parities, [0, 3, 1, 4, 2, 5]);
  l.put(out!, l.reshape(image, [n, count, 2 * h, 2 * w, b]), "spread");
  return true;
}

function repeated(part: Float32Array, count: number): Float32Array {
  const whole = new Float32Array(count * part.length);
  for (let i = 0; i < count; i++) whole.set(part, i * part.length);
  return whole;
}
