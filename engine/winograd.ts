/**
 * Winograd's minimal filtering of 3x3 convolutions (Lavin and Gray, "Fast Algorithms for Convolutional
 * Neural Networks", 2015): four by four pixels of a result from six by six of an image by 36
 * multiplications per pair of channels, where the sum over taps takes 144.
 *
 * @module
 */
import type { Attributes } from "./program.ts";

/** Rows and columns of a result that are computed together. */
export const TILE = 4;
/** Rows and columns of the image that they read. */
export const REACH = 6;
/** Products per tile and pair of channels. */
export const PRODUCTS = REACH * REACH;

/**
 * Where the polynomials are evaluated, besides at infinity. Of those that were tried these round least:
 * in float32, 512 channels, a quarter of the largest error and half of the mean one of 0, ±1 and ±2.
 */
const POINTS = [0, 3 / 4, -3 / 4, 3 / 2, -3 / 2];

type Matrix = readonly (readonly number[])[];

/** Coefficients of the product of `x - root`, the constant first. */
const polynomial = (roots: readonly number[]): number[] =>
  roots.reduce<number[]>(
    (product, root) => [0, ...product].map((each, i) => each - root * (product[i] ?? 0)),
    [1],
  );

/** Powers of a point; of infinity the last one. */
const powers = (point: number | undefined, count: number): number[] =>
  Array.from({ length: count }, (_, k) => point === undefined ? +(k === count - 1) : point ** k);

const others = (point: number): number[] => POINTS.filter((each) => each !== point);
const padded = (list: readonly number[]) => [...list, ...Array(REACH - list.length).fill(0)];
const turned = (matrix: Matrix) => matrix.map((row) => row.toReversed());
const transposed = (matrix: Matrix) => matrix[0]!.map((_, j) => matrix.map((row) => row[j]!));

/** Along one axis: what becomes of pixels, of taps, and of products (Cook and Toom's algorithm). */
const AXIS: Readonly<Record<"pixels" | "taps" | "products", Matrix>> = {
  pixels: [...POINTS.map((point) => padded(polynomial(others(point)))), polynomial(POINTS)],
  taps: [
    ...POINTS.map((point) => {
      const scale = others(point).reduce((product, other) => product * (point - other), 1);
      return powers(point, 3).map((power) => power / scale);
    }),
    powers(undefined, 3),
  ],
  products: transposed([
    ...POINTS.map((point) => powers(point, TILE)),
    powers(undefined, TILE),
  ]),
};

/** The same for both axes: the Kronecker product of a matrix with itself, row after row. */
function bothAxes(matrix: Matrix): Float32Array {
  return Float32Array.from(
    matrix.flatMap((a) => matrix.flatMap((b) => a.flatMap((x) => b.map((y) => x * y)))),
  );
}

/** `[36,36]`: what is multiplied, of the pixels of a tile. */
export const PIXELS: Float32Array = bothAxes(AXIS.pixels);
/** `[36,9]`: what it is multiplied by, of the taps of a filter. */
export const TAPS: Float32Array = bothAxes(AXIS.taps);
/** `[36,9]`: the same of a filter that is turned by 180 degrees. */
export const TURNED_TAPS: Float32Array = bothAxes(turned(AXIS.taps));
/** `[16,36]`: a tile of the result, of the products. */
export const RESULTS: Float32Array = bothAxes(AXIS.products);

/** `[36,16]`: what a tile of the gradient of a result is multiplied by, on the way to the filter's. */
export const RESULT_GRADIENTS: Float32Array = bothAxes(transposed(AXIS.products));
/** `[9,36]`: the gradient of the filter, of the sums of these products. */
export const TAP_GRADIENTS: Float32Array = bothAxes(transposed(AXIS.taps));
/** The same turned by 180 degrees, where dy is what a tile reads more of. */
export const TURNED_TAP_GRADIENTS: Float32Array = bothAxes(transposed(turned(AXIS.taps)));

/** A convolution by products: `x`, and the filter as {@linkcode WINOGRAD_FILTER} makes it. */
export const WINOGRAD = "WinogradConv2D";
/** What the products are multiplied by, `[36,from,to]`, of a filter `[3,3,ci,co]`. */
export const WINOGRAD_FILTER = "WinogradFilter";
/** The gradient of a convolution's filter by products: `x` and `dy`, and what `Conv2DBackpropFilter` has. */
export const WINOGRAD_GRADIENT = "WinogradConv2DBackpropFilter";

/** Attributes of {@linkcode WINOGRAD}. */
export interface WinogradAttributes extends Attributes {
  /** Rows and columns of zeros before the image. */
  readonly before: readonly [number, number];
  /** Whether it is the gradient of an input, and that of the filter reads the same tiles. */
  readonly isShared: boolean;
}

/** Attributes of {@linkcode WINOGRAD_GRADIENT}, besides those of `Conv2DBackpropFilter`. */
export interface WinogradGradientAttributes extends Attributes {
  /** Whether tiles of dy are larger than those of x, as the gradient of the input reads them. */
  readonly isShared: boolean;
}

/** Attributes of {@linkcode WINOGRAD_FILTER}. */
export interface WinogradFilterAttributes extends Attributes {
  /** Whether it convolves with the turned filter from what was made to what was read. */
  readonly adjoint: boolean;
}

/** Tiles of a result of some height and width. */
export function tilesOf(h: number, w: number): readonly [rows: number, columns: number] {
  return [Math.ceil(h / TILE), Math.ceil(w / TILE)];
}
