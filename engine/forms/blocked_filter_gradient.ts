/**
 * Gradients of filters by ONNX Runtime's blocked convolutions (see `blocked_convolution.ts`), without
 * copying windows.
 *
 * A sum over pixels of products, `sum_p x[i,p] y[o,p]`, is a convolution whose kernel is as large as
 * the image: pixels play the input channels (b of them) and the width (the rest), images play the
 * groups, and the channels i are the positions of the output. What makes it free: the numbers of an
 * image in NCHW, `[C][pixels]`, lie as such a convolution wants its input, and in blocks,
 * `[C/b][pixels][b]`, as it wants its weights.
 *
 * @module
 */
import { type Geometry, geometry } from "../kernels/geometry.ts";
import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";
import { sizeOf } from "../rule.ts";
import { blockedPick } from "./blocked_pick.ts";
import { shiftedSides } from "./blocked_shift.ts";
import type { Shape4D } from "./blocked_weight.ts";

/** The side whose channels become positions: NCHW with rows and columns of zeros where it is read. */
interface Rows {
  readonly name: string;
  readonly channels: number;
  /** Rows per channel, zeros included. */
  readonly pitch: number;
}

/** The side whose channels become outputs: in blocks, `height` rows. */
interface Weights {
  readonly name: string;
  readonly channels: number;
  readonly height: number;
}

/**
 * `sum_p rows[i, p - start] weights[o, p]` over the images' pixels: `[O/b,I,b]`.
 *
 * @param wide Columns of both sides, a multiple of b.
 * @param start How many rows before the first row of a channel its window starts. Padding cannot be
 *   negative: windows that start later are the next ones of windows that start a channel earlier.
 */
function correlate(
  l: Lowering,
  n: number,
  wide: number,
  rows: Rows,
  weights: Weights,
  start: number,
): string {
  const b = l.block;
  const blocks = wide / b; // per row
  const x = l.reshape(rows.name, [1, n * b, 1, rows.channels * rows.pitch * blocks]);
  const w = l.reshape(weights.name, [n * weights.channels, b, 1, weights.height * blocks]);
  const late = start < 0 ? 1 : 0;
  const each = l.emit("com.microsoft.nchwc/Conv", [x, w], {
    group: n,
    strides: [1, rows.pitch * blocks],
    pads: [0, (start + late * rows.pitch) * blocks, 0, 0],
  });
  const taps = [weights.channels / b, rows.channels + late, b];
  // A product with ones takes a third of the time of a sum over images.
  const ones = l.float(new Float32Array(n).fill(1), [1, n]);
  const summed = n === 1 ? each : l.emit("MatMul", [ones, l.reshape(each, [n, sizeOf(taps)])]);
  const all = l.reshape(summed, taps);
  return late ? l.slice(all, [1], [rows.channels + 1], [1]) : all;
}

/** Taps `[O/b,I,b]` in reading order as a filter `[kh,kw,I,O]`, or with O and I exchanged. */
function filterOf(
  l: Lowering,
  taps: readonly string[],
  [kh, kw, ci, co]: readonly number[],
  exchanged: boolean,
): string {
  const b = l.block;
  const [outer, inner] = exchanged ? [ci!, co!] : [co!, ci!];
  const stacked = taps.length === 1 ? taps[0]! : l.emit("Concat", taps, { axis: 0 });
  const parts = l.reshape(stacked, [kh! * kw!, outer / b, inner, b]);
  const moved = l.transpose(parts, exchanged ? [0, 1, 3, 2] : [0, 2, 1, 3]);
  return l.reshape(moved, [kh!, kw!, ci!, co!]);
}

const roundUp = (size: number, multiple: number) => Math.ceil(size / multiple) * multiple;

/** The gradient with respect to the filter: `x` and `dy`. */
export function blockedBackpropFilter(
  { inputs: [x, dy], attributes, outputs: [out] }: Op,
  l: Lowering,
): boolean {
  if (!l.block) return false;
  const shape = attributes["filterShape"] as readonly number[];
  const g = geometry(l.shape(x!), shape, attributes, false);
  if (g.dilations.some((n) => n !== 1)) return false;
  const name = g.strides.every((n) => n === 1)
    ? g.kernel.every((n) => n === 1) ? pointwise(l, x!, dy!) : dense(l, x!, dy!, g)
    : g.strides.every((n) => n === 2)
    ? strided(l, x!, dy!, g)
    : undefined;
  if (name === undefined) return false;
  l.put(out!, name);
  return true;
}

/** A 1x1 filter: all pixels of an image are one row. */
function pointwise(l: Lowering, x: number, dy: number): string | undefined {
  const [n, h, w, ci] = l.shape(x) as Shape4D;
  const co = l.shape(dy)[3]!;
  const pixels = h * w;
  if (pixels % l.block !== 0) return undefined;
  // Fewer positions are fewer strided reads, and the other side must have whole blocks.
  const exchanged = l.canBlock(x) && (!l.canBlock(dy) || co < ci);
  const [rows, weights] = exchanged ? [dy, x] : [x, dy];
  if (!l.canBlock(weights)) return undefined;
  const tap = correlate(
    l,
    n,
    pixels,
    { name: l.get(rows, "channelsFirst"), channels: exchanged ? co : ci, pitch: 1 },
    { name: l.get(weights, "blocked"), channels: exchanged ? ci : co, height: 1 },
    0,
  );
  return filterOf(l, [tap], [1, 1, ci, co], exchanged);
}

/**
 * Stride 1. Zero rows between the channels of x stand for the padding above and below; the row of
 * taps is where windows start, the column of taps is how far one side is shifted.
 */
function dense(l: Lowering, x: number, dy: number, g: Geometry): string | undefined {
  const [n, height, , ci] = l.shape(x) as Shape4D;
  const [, h, w, co] = g.outShape as Shape4D;
  const [kh, kw] = g.kernel;
  const [top] = g.before;
  const wide = roundUp(w, l.block);
  if (!l.canBlock(dy) || wide > 2 * w) return undefined;
  const pitch = height + Math.max(top, g.after[0]);
  const sides = shiftedSides(l, [x, dy], g, { pitch, wide });
  const taps: string[] = [];
  for (let column = 0; column < kw; column++) {
    const names = sides(column);
    const rows = { name: names.x, channels: ci, pitch };
    const weights = { name: names.dy, channels: co, height: h };
    for (let row = 0; row < kh; row++) {
      taps[row * kw + column] = correlate(l, n, wide, rows, weights, top - row);
    }
  }
  return filterOf(l, taps, [kh, kw, ci, co], false);
}

/**
 * Stride 2 without padding. Each tap meets the pixels of one parity: x is picked apart by depthwise
 * convolutions with a single one in their kernels, and plays the weights; `dy` plays the rows.
 */
function strided(l: Lowering, x: number, dy: number, g: Geometry): string | undefined {
  const [n, height, width, ci] = l.shape(x) as Shape4D;
  const [, h, w, co] = g.outShape as Shape4D;
  const [kh, kw] = g.kernel;
  const wide = roundUp(w, l.block);
  if (!l.canBlock(x) || g.before.some((n) => n !== 0) || wide > 2 * w) return undefined;
  const starts = Math.floor((kh - 1) / 2); // the largest
  const heights = [0, 1].map((parity) => Math.min(Math.ceil((height - parity) / 2), h + starts));
  const gap = Math.max(starts, heights[0]! - h);
  const rows = {
    name: l.pad(l.get(dy, "channelsFirst"), [0, 0, 0, 0], [0, 0, gap, wide - w]),
    channels: co,
    pitch: h + gap,
  };
  const taps: string[] = [];
  for (let column = 0; column < kw; column++) {
    for (const parity of kh > 1 ? [0, 1] : [0]) {
      const picked = blockedPick(l, l.get(x, "blocked"), [ci, height, width], {
        from: [parity, column],
        size: [heights[parity]!, wide],
        stride: 2,
      });
      const weights = { name: picked, channels: ci, height: heights[parity]! };
      for (let row = parity; row < kh; row += 2) {
        taps[row * kw + column] = correlate(l, n, wide, rows, weights, (row - parity) / 2);
      }
    }
  }
  return filterOf(l, taps, [kh, kw, ci, co], true);
}

/**
 * Depthwise: `dy`, in blocks, lies as the weights of a depthwise convolution over all channels of all
 * images, with kernels as large as the images; its output are the taps.
 */
export function blockedDepthwiseBackpropFilter(
  { inputs: [x, dy], attributes, outputs: [out] }: Op,
  l: Lowering,
): boolean {
  const shape = attributes["filterShape"] as readonly number[];
  const [kh, kw, channels, multiplier] = shape as Shape4D;
  if (!l.canBlock(x!) || multiplier !== 1) return false;
  const g = geometry(l.shape(x!), shape, attributes, true);
  if ([...g.dilations, ...g.strides].some((n) => n !== 1)) return false;
  const [n, height, width] = l.shape(x!) as [number, number, number];
  const [, h, w] = g.outShape;
  const b = l.block;
  // Windows that hang over at a side are computed column by column, each waiting for its own sums.
  const [left, right] = [g.before[1], g.after[1]];
  const wide = blockedPick(l, l.get(x!, "blocked"), [channels, height, width], {
    from: [0, -left],
    size: [height, left + width + right],
    stride: 1,
  });
  const images = l.reshape(wide, [1, n * channels, height, left + width + right]);
  const weights = l.reshape(l.get(dy!, "blocked"), [n * channels, 1, h!, w!]);
  const each = l.emit("com.microsoft.nchwc/Conv", [images, weights], {
    group: n * channels,
    pads: [g.before[0], 0, g.after[0], 0],
  });
  const taps = l.sum(l.reshape(each, [n, channels / b, kh, kw, b]), [0]);
  l.put(out!, l.reshape(l.transpose(taps, [1, 2, 0, 3]), [kh, kw, channels, 1]));
  return true;
}
