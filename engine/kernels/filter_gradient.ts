/**
 * Gradients of the filters of convolutions, NCHW inside. What trains is never a constant, so ONNX
 * Runtime cannot pre-pack it: they are written as few large matrix products (figures in
 * `docs/performance.md`).
 *
 * @module
 */
import type { Lowering } from "../lowering.ts";
import type { Geometry } from "./geometry.ts";

type Shape4D = [number, number, number, number];

/**
 * `dW [kh,kw,ci,co]` of a convolution with stride 1, all taps as one matrix product: with rows padded to
 * a common width, a vertical tap shifts x by whole rows and a horizontal tap shifts dy by columns, so
 * `concat(row shifts of x) . concat(column shifts of dy)^T` holds them all.
 */
export function denseFilterGradient(
  l: Lowering,
  x: string,
  dy: string,
  g: Geometry,
  [n, height, width, ci]: readonly number[],
): string {
  const [, h, w, co] = g.outShape as Shape4D;
  const [kh, kw] = g.kernel;
  const wide = width! + g.before[1] + g.after[1];
  const tall = height! + g.before[0] + g.after[0];
  const size = h * wide;
  const sizes = { n: n!, size, left: kh * ci!, right: kw * co };
  const padded = l.pad(x, [0, 0, ...g.before], [0, 0, ...g.after]);
  const flat = l.reshape(padded, [n!, ci!, tall * wide]);
  const planes = isOneProduct(sizes) ? l.transpose(flat, [1, 0, 2]) : flat;
  const rows = Array.from(
    { length: kh },
    (_, a) => kh === 1 ? planes : l.slice(planes, [a * wide], [(a + h) * wide], [2]),
  );
  const columns = Array.from(
    { length: kw },
    (_, b) => l.reshape(l.pad(dy, [0, 0, 0, b], [0, 0, 0, wide - w - b]), [n!, co, size]),
  );
  const product = sumOfProducts(l, rows, columns, sizes);
  return l.transpose(l.reshape(product, [kh, ci!, kw, co]), [0, 2, 1, 3]);
}

/** `dW` of a strided or dilated convolution: im2col by strided slices, then one matrix product. */
export function stridedFilterGradient(
  l: Lowering,
  x: string,
  dy: string,
  g: Geometry,
  [n, , , ci]: readonly number[],
): string {
  const [, h, w, co] = g.outShape as Shape4D;
  const size = h * w;
  const sizes = { n: n!, size, left: g.kernel[0] * g.kernel[1] * ci!, right: co };
  const [planes, axes] = isOneProduct(sizes)
    ? [l.transpose(x, [1, 0, 2, 3]), [ci!, n!]]
    : [x, [n!, ci!]];
  const taps = windows(l, planes, g).map((window) => l.reshape(window, [...axes, size]));
  const product = sumOfProducts(l, taps, [l.reshape(dy, [n!, co, size])], sizes);
  return l.reshape(product, [...g.kernel, ci!, co]); // of [taps ci, co]
}

/** Sizes of products `left right^T` of `n` images, which have `size` pixels. */
interface ProductSizes {
  readonly n: number;
  readonly size: number;
  /** Rows of `left`. */
  readonly left: number;
  /** Rows of `right`. */
  readonly right: number;
}

/** Whether all pixels of small images are one list: else each one's product is written and read again. */
function isOneProduct({ n, size, right }: ProductSizes): boolean {
  return n > 1 && size < right;
}

/**
 * The sum of all images' products. Parts of `left` are `[C,N,size]` where it is one product, else, like
 * those of `right`, `[N,C,size]`.
 */
function sumOfProducts(
  l: Lowering,
  left: readonly string[],
  right: readonly string[],
  sizes: ProductSizes,
): string {
  const joined = (parts: readonly string[], axis: number) =>
    parts.length === 1 ? parts[0]! : l.emit("Concat", parts, { axis });
  const columns = l.transpose(joined(right, 1), [0, 2, 1]);
  if (!isOneProduct(sizes)) return l.sum(l.emit("MatMul", [joined(left, 1), columns]), [0]);
  const all = sizes.n * sizes.size;
  return l.emit("MatMul", [
    l.reshape(joined(left, 0), [sizes.left, all]),
    l.reshape(columns, [all, sizes.right]),
  ]);
}

/** The part of x `[N,C,H,W]` that each tap of the kernel meets, in reading order of the taps. */
function windows(l: Lowering, x: string, g: Geometry): string[] {
  const [, h, w] = g.outShape;
  const padded = l.pad(x, [0, 0, ...g.before], [0, 0, ...g.after]);
  const [sh, sw] = g.strides;
  return Array.from({ length: g.kernel[0] * g.kernel[1] }, (_, i) => {
    const top = Math.floor(i / g.kernel[1]) * g.dilations[0];
    const left = (i % g.kernel[1]) * g.dilations[1];
    const end = [top + (h! - 1) * sh + 1, left + (w! - 1) * sw + 1];
    const steps = sh * sw === 1 ? undefined : [sh, sw];
    return l.slice(padded, [top, left], end, [2, 3], steps);
  });
}

/** `dW [kh,kw,C,multiplier]` of a depthwise convolution: one multiply and sum per tap. */
export function depthwiseFilterGradient(
  l: Lowering,
  x: string,
  dy: string,
  g: Geometry,
  [n, , , channels]: readonly number[],
): string {
  const [, h, w] = g.outShape as Shape4D;
  const many = g.multiplier > 1;
  const grouped = many ? l.reshape(dy, [n!, channels!, g.multiplier, h, w]) : dy;
  const sums = windows(l, x, g).map((window) => {
    const operand = many ? l.reshape(window, [n!, channels!, 1, h, w]) : window;
    const product = l.emit("Mul", [operand, grouped]);
    return l.reshape(l.sum(product, many ? [0, 3, 4] : [0, 2, 3]), [1, channels! * g.multiplier]);
  });
  return l.reshape(l.emit("Concat", sums, { axis: 0 }), [...g.kernel, channels!, g.multiplier]);
}
