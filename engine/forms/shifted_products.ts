import type { Geometry } from "../kernels/geometry.ts";
import type { Lowering } from "../lowering.ts";
import { sizeOf } from "../rule.ts";

type Shape4D = readonly [number, number, number, number];

const LINE = 16; // numbers of a line of the cache: a product of 32 channels takes 9% less where rows begin there
const FEWEST = 128; // pixels of an image; with fewer, all images make one product

/** The filter's gradient `[kh,kw,ci,co]` of a convolution with stride 1. */
export function shiftedProducts(l: Lowering, x: number, dy: number, g: Geometry): string {
  const [, h, w] = g.outShape as Shape4D;
  const taps = shifted(l, x, dy, g, h * w < FEWEST);
  return l.transpose(l.sum(taps, [0]), [2, 0, 1, 3]);
}

/** The same of every image, `[n,kw,ci,kh,co]`. */
export function shiftedImages(l: Lowering, x: number, dy: number, g: Geometry): string {
  return shifted(l, x, dy, g, false);
}

/**
 * What every image gives, or all of them together (`stacked`), one matrix product per tap, in one node: `dW[a,b] = sum_q X[q + (a - top) wide + b - left] Y[q]`, where X and Y are the pixels of x
 * and dy, row after row, every row followed by enough zeros that a shift never meets another row's
 * pixels.
 *
 * Shifts cost nothing but one copy: three of X with the right number of zeros between, read as three
 * rows, are X at three places. Vertical shifts are made of X, horizontal ones of Y.
 *
 * X has its pixels last, so that no factor is transposed: OpenVINO copies a factor that is, for every
 * tap anew. It changes the layout of X only once, and quickly, since rows with their zeros are no
 * power of two long.
 */
function shifted(
  l: Lowering,
  x: number,
  dy: number,
  g: Geometry,
  stacked: boolean,
): string {
  const [n, height, width, ci] = l.shape(x) as Shape4D;
  const [, h, w, co] = g.outShape as Shape4D;
  const [kh, kw] = g.kernel;
  const [top, left] = g.before;
  const wide = Math.max(width + Math.max(left, g.after[1]), w);
  const groups = stacked ? 1 : n;
  const tall = Math.max(height + Math.max(top, g.after[0]), h);
  const rowsOf = (rows: number) => stacked ? n * tall : rows;
  const sizes = { x: rowsOf(height) * wide, dy: rowsOf(h) * wide };
  const length = lengthOf(g, wide, sizes);

  const padded = (id: number, [rows, columns]: readonly [number, number]) => {
    const below = stacked ? tall - rows : 0;
    return l.pad(l.get(id, "channelsFirst"), [0, 0, 0, 0], [0, 0, below, wide - columns]);
  };

  const image = l.reshape(padded(x, [height, width]), [n, ci, stacked ? sizes.x / n : sizes.x]);
  const planes = stacked ? l.reshape(l.transpose(image, [1, 0, 2]), [1, ci, sizes.x]) : image; // [groups, ci, pixels]
  const rows = copies(l, planes, {
    shape: [groups, ci, sizes.x],
    axis: 2,
    count: kh,
    first: left + top * wide,
    every: length - wide,
    length,
  });
  const gradient = padded(dy, [h, w]);
  const fresh = gradient !== l.get(dy, "channelsFirst");
  const last = channelsLast(l, gradient, [n, co, stacked ? sizes.dy / n : sizes.dy], fresh);
  const columns = copies(l, l.reshape(last, [groups, sizes.dy, co]), {
    shape: [groups, sizes.dy, co],
    axis: 1,
    count: kw,
    first: 0,
    every: length + 1,
    length,
  });
  const product = l.emit("MatMul", [
    l.reshape(rows, [groups, 1, ci * kh, length]),
    l.reshape(columns, [groups, kw, length, co]),
  ]);
  return l.reshape(product, [groups, kw, ci, kh, co]);
}

/** Copies of pixels along their axis, the first after `first` zeros, each `every` pixels after the last. */
function copies(
  l: Lowering,
  name: string,
  { shape, axis, count, first, every, length }: {
    readonly shape: readonly number[];
    readonly axis: number;
    readonly count: number;
    readonly first: number;
    readonly every: number;
    /** Pixels of each row that the whole is read as; there are `count` rows. */
    readonly length: number;
  },
): string {
  const size = shape[axis]!;
  const zeros = (many: number) => {
    const own = shape.with(axis, many);
    return many === 0 ? [] : [l.float(new Float32Array(sizeOf(own)), own)];
  };
  const gap = zeros(every - size);
  const end = count * length - first - (count - 1) * every - size;
  const parts = Array.from({ length: count }, (_, i) => i === 0 ? [name] : [...gap, name]);
  return l.emit("Concat", [...zeros(first), ...parts.flat(), ...zeros(end)], { axis });
}

/**
 * A 4-D value of channels first with channels last, in some shape. OpenVINO has it like that already and
 * takes this transpose for nothing, but not right after a convolution to which a sum was merged, nor if
 * anything else reads it: then three axes, whose layout is no choice, are faster.
 */
function channelsLast(
  l: Lowering,
  first: string,
  [n, c, size]: readonly [number, number, number],
  fresh: boolean,
): string {
  if (fresh) return l.transpose(first, [0, 2, 3, 1]);
  return l.transpose(l.reshape(first, [n, c, size]), [0, 2, 1]);
}

/**
 * Pixels of a row of copies: Y fits at every place, and where it is, a row of X holds X and zeros, not
 * the copy before or after.
 */
function lengthOf(
  { kernel: [kh, kw], before: [top, left] }: Geometry,
  wide: number,
  { x, dy }: { readonly x: number; readonly dy: number },
): number {
  const below = (kh - 1 - top) * wide;
  const needed = Math.max(
    dy + kw - 1, // all places of Y
    x + wide + Math.max(0, left + (top - 1) * wide), // zeros before X in all rows but the first
    dy + kw - 1 - left + below, // and after it in all rows but the last
  );
  const aligned = Math.ceil(needed / LINE) * LINE;
  return aligned <= 1.01 * needed ? aligned : needed;
}
