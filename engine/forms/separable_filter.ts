/**
 * Resampling matrices read as short filters that move over the image.
 *
 * @module
 */
import type { AxisMatrix } from "../../core/axis_matrix.ts";
import type { Op } from "../program.ts";

/** `out[i] = sum_k taps[k] in[stride i + k - before]`, zeros beyond the image. */
interface MovingFilter {
  readonly taps: readonly number[];
  readonly stride: number;
  readonly before: number;
  readonly after: number;
}

const LONGEST = 8; // taps; beyond it the product with the matrix is as fast

/**
 * The entries of a matrix by `place(row, column)`, if all entries of one place are equal: then it is
 * a filter that moves. First and last are the places of the outermost entries that are not zero.
 */
function entriesBy(
  { rows, columns, data }: AxisMatrix,
  place: (row: number, column: number) => number,
) {
  const entries = new Map<number, number>();
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [key, entry] = [place(row, column), data[row * columns + column]!];
      if ((entries.get(key) ?? entry) !== entry) return undefined;
      entries.set(key, entry);
    }
  }
  const places = [...entries.keys()].filter((key) => entries.get(key) !== 0);
  const [first, last] = [Math.min(...places), Math.max(...places)];
  if (places.length === 0 || last - first >= LONGEST) return undefined;
  const values = Array.from({ length: last - first + 1 }, (_, k) => entries.get(first + k) ?? 0);
  return { first, values };
}

function padded(
  taps: readonly number[],
  stride: number,
  before: number,
  [rows, columns]: readonly [number, number],
): MovingFilter | undefined {
  const after = stride * (rows - 1) - before + taps.length - columns;
  return before >= 0 && after >= 0 ? { taps, stride, before, after } : undefined;
}

/** Reads a matrix as a moving filter of a stride. */
function movingFilter(matrix: AxisMatrix, stride: number): MovingFilter | undefined {
  const found = entriesBy(matrix, (row, column) => column - stride * row);
  return found && padded(found.values, stride, -found.first, [matrix.rows, matrix.columns]);
}

/**
 * Reads a matrix as nearest-neighbour doubling followed by a moving filter: a filter of zero-inserted
 * pixels is that if the polynomial of its taps has the factor 1 + z, as binomial filters have.
 */
function doublingFilter(matrix: AxisMatrix): MovingFilter | undefined {
  const found = entriesBy(matrix, (row, column) => 2 * column - row);
  if (!found) return undefined;
  // Pixel 2c of the doubled image and pixel 2c + 1 are both pixel c: taps[k - 1] + taps[k] = value k.
  const taps: number[] = [];
  for (const value of found.values) taps.push(value - (taps.at(-1) ?? 0));
  if (Math.abs(taps.pop()!) > 1e-6) return undefined;
  return padded(taps, 1, -found.first - 1, [matrix.rows, 2 * matrix.columns]);
}

/** A resampling of both axes as one filter. */
export interface SeparableFilter {
  /** Rows times columns, row by row. */
  readonly taps: readonly number[];
  /** Height and width. */
  readonly size: readonly [number, number];
  /** Strides and pads, as a convolution names them. */
  readonly attributes: { readonly strides: number[]; readonly pads: number[] };
  /** Every pixel is made a square of four before. */
  readonly doubles: boolean;
}

/** Reads the matrices of a resampling as a filter; `undefined` if they are none that is short. */
export function separableFilter({ attributes }: Op): SeparableFilter | undefined {
  const axes = [attributes["rows"], attributes["columns"]] as AxisMatrix[];
  const readers = [
    (matrix: AxisMatrix) => movingFilter(matrix, 1),
    (matrix: AxisMatrix) => movingFilter(matrix, 2),
    doublingFilter,
  ];
  for (const read of readers) {
    const [rows, columns] = axes.map(read);
    if (!rows || !columns) continue;
    return {
      taps: rows.taps.flatMap((y) => columns.taps.map((x) => y * x)),
      size: [rows.taps.length, columns.taps.length],
      attributes: {
        strides: [rows.stride, columns.stride],
        pads: [rows.before, columns.before, rows.after, columns.after],
      },
      doubles: read === doublingFilter,
    };
  }
  return undefined;
}
