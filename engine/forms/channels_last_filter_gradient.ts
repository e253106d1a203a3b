import { type Geometry, geometry, isDense } from "../kernels/geometry.ts";
import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";
import type { FilterSums } from "../passes/sums_of_filters.ts";
import { sizeOf } from "../rule.ts";
import { shiftedImages, shiftedProducts } from "./shifted_products.ts";

/**
 * The filter's gradient of a convolution for OpenVINO, whose convolutions lay images out with channels
 * last: matrix products over pixels as they lie there, without a change of layout. A third input is
 * what x is multiplied by, one number per channel and image; further ones are those of
 * `passes/sums_of_filters.ts`.
 */
export function channelsLastFilterGradient(op: Op, l: Lowering): boolean {
  const { inputs: [x, dy, scale], attributes, outputs: [out] } = op;
  const g = geometry(l.shape(x!), l.shape(out!), attributes, false);
  const dense = isDense(g);
  const single = g.kernel.every((n) => n === 1);
  if (scale !== undefined && !dense) return false;
  if (scale === undefined) {
    const write = !dense ? strided : single ? pointwise : shiftedProducts;
    l.put(out!, write(l, x!, dy!, g));
  } else sumImages(l, op, (single ? pointwiseImages : shiftedImages)(l, x!, dy!, g));
  return true;
}

/** The filter's gradient of what every image has, `[n,kw,ci,kh,co]`, and the sums that come with it. */
export function sumImages(l: Lowering, { inputs, attributes, outputs }: Op, images: string): void {
  const [, , scale, filter, factor] = inputs as [number, number, number, number?, number?];
  const [kh, kw, ci, co] = attributes["filterShape"] as Shape4D;
  const count = sizeOf(l.shape(scale)) / ci;
  const scaled = l.emit("Mul", [images, l.reshape(l.get(scale), [count, 1, ci, 1, 1])]);
  const [gradient, ...sums] = outputs;
  l.put(gradient!, l.transpose(l.sum(scaled, [0]), [2, 0, 1, 3]));
  if (filter === undefined) return;
  const { reads, makes } = attributes as Op["attributes"] & FilterSums;
  const weights = l.reshape(l.transpose(l.get(filter), [1, 2, 0, 3]), [1, kw, ci, kh, co]);
  if (reads) l.put(sums[0]!, l.sum(l.emit("Mul", [images, weights]), [1, 3, 4]));
  if (makes) {
    const sum = l.sum(l.emit("Mul", [scaled, weights]), [1, 2, 3]);
    const factors = l.reshape(l.get(factor!), [sizeOf(l.shape(factor!)) / co, co]);
    l.put(sums.at(-1)!, l.emit("Div", [sum, factors]));
  }
}

type Shape4D = readonly [number, number, number, number];

/**
 * `a^T b` `[...,ca,cb]` of lists of pixels `[...,pixels,channels]`. OpenVINO copies what it transposes, so
 * that is the one with fewer channels.
 */
function product(
  l: Lowering,
  a: string,
  b: string,
  { lists, ca, cb }: {
    readonly lists: readonly number[];
    readonly ca: number;
    readonly cb: number;
  },
): string {
  const swapped = [...lists.keys(), lists.length + 1, lists.length];
  if (ca <= cb) return l.emit("MatMul", [l.transpose(a, swapped), b]);
  return l.transpose(l.emit("MatMul", [l.transpose(b, swapped), a]), swapped);
}

/** A 4-D value of channels first as a list of pixels for each image: 3 axes, as their layout is no choice. */
function pixelsOf(l: Lowering, first: string, [n, c, size]: readonly [number, number, number]) {
  return l.transpose(l.reshape(first, [n, c, size]), [0, 2, 1]);
}

/** The same as one list. */
function pixels(l: Lowering, first: string, [n, c, size]: readonly [number, number, number]) {
  return l.reshape(pixelsOf(l, first, [n, c, size]), [n * size, c]);
}

/** One tap of every image. */
function pointwiseImages(l: Lowering, x: number, dy: number, g: Geometry): string {
  const [n, , , ci] = l.shape(x) as Shape4D;
  const co = g.outShape[3]!;
  const size = g.outShape[1]! * g.outShape[2]!;
  const image = l.pad(l.get(x, "channelsFirst"), [0, 0, ...g.before], [0, 0, ...g.after]);
  const pixels = (first: string, c: number) =>
    l.reshape(pixelsOf(l, first, [n, c, size]), [n, 1, 1, size, c]);
  const shape = { lists: [n, 1, 1], ca: ci, cb: co };
  const each = product(l, pixels(image, ci), pixels(l.get(dy, "channelsFirst"), co), shape);
  return l.reshape(each, [n, 1, ci, 1, co]);
}

/** One tap: all pixels of the batch are one list. */
function pointwise(l: Lowering, x: number, dy: number, g: Geometry): string {
  const [n, , , ci] = l.shape(x) as Shape4D;
  const co = g.outShape[3]!;
  const padded = [...g.before, ...g.after].some((zeros) => zeros > 0);
  const image = () => l.pad(l.get(x, "channelsFirst"), [0, 0, ...g.before], [0, 0, ...g.after]);
  const size = g.outShape[1]! * g.outShape[2]!;
  // What is given lies like that, and a transpose for two readers would be copied for each.
  const left = l.has(x, "channelsLast") && !padded
    ? l.reshape(l.get(x, "channelsLast"), [n * size, ci])
    : pixels(l, image(), [n, ci, size]);
  const right = pixels(l, l.get(dy, "channelsFirst"), [n, co, size]);
  return l.reshape(product(l, left, right, { lists: [], ca: ci, cb: co }), [1, 1, ci, co]);
}

/**
 * With strides or dilations: the products of dy with what every tap meets. These windows are not put
 * together before: that takes longer than a product for each.
 */
function strided(l: Lowering, x: number, dy: number, g: Geometry): string {
  const [n, , , ci] = l.shape(x) as Shape4D;
  const [, h, w, co] = g.outShape as Shape4D;
  const [kh, kw] = g.kernel;
  const image = l.pad(l.get(x, "channelsFirst"), [0, 0, ...g.before], [0, 0, ...g.after]);
  const last = (first: string, c: number) =>
    l.reshape(l.transpose(first, [0, 2, 3, 1]), [n, h * w, c]);
  const planes = l.transpose(last(l.get(dy, "channelsFirst"), co), [0, 2, 1]);
  const taps = Array.from({ length: kh * kw }, (_, i) => {
    const start = [Math.floor(i / kw) * g.dilations[0], (i % kw) * g.dilations[1]];
    const end = [h, w].map((size, axis) => start[axis]! + (size - 1) * g.strides[axis]! + 1);
    const window = l.slice(image, start, end, [2, 3], g.strides);
    return l.emit("MatMul", [planes, last(window, ci)]); // [n, co, ci]
  });
  const sum = l.sum(l.emit("Concat", taps, { axis: 1 }), [0]);
  return l.transpose(l.reshape(sum, [kh, kw, co, ci]), [0, 1, 3, 2]);
}
