import { type Geometry, geometry } from "../kernels/convolution.ts";
import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";

/**
 * The filter's gradient of a convolution for OpenVINO, whose convolutions lay images out with channels
 * last: one matrix product over all pixels of the batch, without a change of layout.
 */
export function channelsLastFilterGradient(
  { inputs: [x, dy], attributes, outputs: [out] }: Op,
  l: Lowering,
): boolean {
  const g = geometry(l.shape(x!), l.shape(out!), attributes, false);
  const write = [...g.strides, ...g.dilations].every((n) => n === 1) ? dense : strided;
  l.put(out!, write(l, x!, dy!, g));
  return true;
}

type Shape4D = readonly [number, number, number, number];

/** `a^T b`: the sum over rows, which are pixels. */
function product(l: Lowering, a: string, b: string): string {
  return l.emit("MatMul", [l.transpose(a, [1, 0]), b]);
}

/** Columns of `parts`, all with the same number of rows. */
function beside(l: Lowering, parts: readonly string[]): string {
  return parts.length === 1 ? parts[0]! : l.emit("Concat", parts, { axis: 1 });
}

/** A 4-D value of channels first as rows of pixels `[N,H W,C]`, in 3 axes: their layout is no choice. */
function pixels(
  l: Lowering,
  first: string,
  [n, c, size]: readonly [number, number, number],
): string {
  return l.transpose(l.reshape(first, [n, c, size]), [0, 2, 1]);
}

function padded(l: Lowering, x: number, { before, after }: Geometry): string {
  return l.pad(l.get(x, "channelsFirst"), [0, 0, ...before], [0, 0, ...after]);
}

/**
 * Stride 1. With rows padded to a common width, a vertical tap shifts x by whole rows and a horizontal
 * one shifts dy by pixels: `(row shifts of x)^T (column shifts of dy)` holds all taps.
 */
function dense(l: Lowering, x: number, dy: number, g: Geometry): string {
  const [n, height, width, ci] = l.shape(x) as Shape4D;
  const [, h, w, co] = g.outShape as Shape4D;
  const [kh, kw] = g.kernel;
  const wide = width + g.before[1] + g.after[1];
  const tall = height + g.before[0] + g.after[0];
  const image = pixels(l, padded(l, x, g), [n, ci, tall * wide]);
  const rows = Array.from({ length: kh }, (_, a) => {
    const part = kh === 1 ? image : l.slice(image, [a * wide], [(a + h) * wide], [1]);
    return l.reshape(part, [n * h * wide, ci]);
  });
  const last = l.pad(l.get(dy, "channelsFirst"), [0, 0, 0, kw - 1], [0, 0, 0, wide - w]);
  const flat = l.reshape(pixels(l, last, [n, co, h * (wide + kw - 1)]), [n * h, wide + kw - 1, co]);
  const columns = Array.from({ length: kw }, (_, b) => {
    const part = kw === 1 ? flat : l.slice(flat, [kw - 1 - b], [kw - 1 - b + wide], [1]);
    return l.reshape(part, [n * h * wide, co]);
  });
  const all = product(l, beside(l, rows), beside(l, columns));
  if (kw === 1) return l.reshape(all, [kh, kw, ci, co]);
  return l.transpose(l.reshape(all, [kh, ci, kw, co]), [0, 2, 1, 3]);
}

/** With strides or dilations: what every tap meets, side by side. */
function strided(l: Lowering, x: number, dy: number, g: Geometry): string {
  const [n, , , ci] = l.shape(x) as Shape4D;
  const [, h, w, co] = g.outShape as Shape4D;
  const [kh, kw] = g.kernel;
  const image = padded(l, x, g);
  const taps = Array.from({ length: kh * kw }, (_, i) => {
    const start = [Math.floor(i / kw) * g.dilations[0], (i % kw) * g.dilations[1]];
    const end = [h, w].map((size, axis) => start[axis]! + (size - 1) * g.strides[axis]! + 1);
    return l.slice(image, start, end, [2, 3], g.strides);
  });
  const many = l.emit("Concat", taps, { axis: 1 });
  const left = l.reshape(pixels(l, many, [n, kh * kw * ci, h * w]), [n * h * w, kh * kw * ci]);
  const right = l.reshape(pixels(l, l.get(dy, "channelsFirst"), [n, co, h * w]), [n * h * w, co]);
  const all = product(l, left, right);
  return l.reshape(all, [kh, kw, ci, co]);
}
