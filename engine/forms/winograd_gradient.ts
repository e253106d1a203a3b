import { geometry } from "../kernels/geometry.ts";
import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";
import {
  PRODUCTS,
  TAP_GRADIENTS,
  TURNED_TAP_GRADIENTS,
  type WinogradGradientAttributes,
} from "../winograd.ts";
import type { Shape4D } from "./blocked_weight.ts";
import { sumImages } from "./channels_last_filter_gradient.ts";
import {
  sharedPixels,
  sizeOfStrip,
  type Strip,
  stripsOfGradients,
  transformedPixels,
  transformedTiles,
} from "./winograd_tiles.ts";

/** The two images whose tiles are multiplied. */
interface Sides {
  /** The one of which tiles of six by six pixels are read, with these zeros before it. */
  readonly wide: number;
  readonly before: readonly [number, number];
  /** The one of which tiles lie beside each other. */
  readonly narrow: number;
  /** Whether the former is dy, not x. */
  readonly isShared: boolean;
}

/**
 * The filter's gradient of a convolution by products. With the matrices of `winograd.ts` a convolution
 * is `R (P x * T w)`, so that of w is `T' (P x * R' dy)`, where tiles are what the products add up. A
 * filter meets a pixel of x and one of dy at the same distance as one of dy and one of x, turned; so
 * either may be what tiles reach over. Further inputs are those of `passes/sums_of_filters.ts`.
 */
export function winogradGradient(op: Op, l: Lowering): boolean {
  const [x, dy, scale] = op.inputs as [number, number, number?];
  const [out] = op.outputs as [number];
  const { isShared } = op.attributes as WinogradGradientAttributes;
  const [kh, kw, ci, co] = l.shape(out) as Shape4D;
  const { before: [top, left] } = geometry(l.shape(x), l.shape(out), op.attributes, false);
  const sides: Sides = isShared
    ? { wide: dy, before: [2 - top, 2 - left], narrow: x, isShared }
    : { wide: x, before: [top, left], narrow: dy, isShared };
  const size = l.shape(sides.narrow) as Shape4D;
  const isApart = scale !== undefined;
  const groups = stripsOfGradients(l, sides.wide, size, isApart).map(({ images, strips }) => {
    const parts = strips.map((strip) => productsOf(l, sides, strip, images));
    const sums = parts.length === 1 ? parts[0]! : l.emit("Sum", parts);
    return isApart ? l.reshape(sums, [PRODUCTS, images, ci, co]) : sums;
  });
  const sums = groups.length === 1 ? groups[0]! : l.emit("Concat", groups, { axis: 1 });
  const count = isApart ? size[0] : 1;
  const matrix = l.float(isShared ? TURNED_TAP_GRADIENTS : TAP_GRADIENTS, [9, PRODUCTS]);
  const taps = l.emit("MatMul", [matrix, l.reshape(sums, [PRODUCTS, count * ci * co])]);
  if (isApart) {
    const shape = [kh, kw, count, ci, co];
    sumImages(l, op, l.permute(l.reshape(taps, shape), shape, [2, 1, 3, 0, 4]));
  } else l.put(out, l.reshape(taps, [kh, kw, ci, co]));
  return true;
}

/** The 36 products `[36,ci,co]` of a strip, or of each of its images `[36,images,ci,co]`. */
function productsOf(l: Lowering, sides: Sides, strip: Strip, images: number): string {
  const { wide, before, narrow, isShared } = sides;
  const read = (isShared ? sharedPixels : transformedPixels)(l, wide, before, strip);
  const made = transformedTiles(l, narrow, strip);
  const [a, b] = isShared ? [made, read] : [read, made];
  if (images === 1) return l.emit("MatMul", [l.transpose(a, [0, 2, 1]), b]);
  const [ofA, ofB] = isShared ? [narrow, wide] : [wide, narrow];
  const each = (name: string, id: number) =>
    l.reshape(name, [PRODUCTS, images, sizeOfStrip(strip) / images, l.shape(id)[3]!]);
  return l.emit("MatMul", [l.transpose(each(a, ofA), [0, 1, 3, 2]), each(b, ofB)]);
}
