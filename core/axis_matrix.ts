/**
 * Constant matrices that act along one image axis. Every resampling of the project (FIR, bilinear,
 * area, nearest) is `rows . image . columns^T`: exact, linear, and differentiable to any order,
 * since its derivative is the same with the transposed matrices.
 *
 * @module
 */

/** A constant matrix `[rows, columns]`: `columns` pixels in, `rows` pixels out. */
export interface AxisMatrix {
  /** Equal keys mean equal matrices; recorded programs compare these instead of the numbers. */
  readonly key: string;
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

/** One axis of "upfirdn": zero-insertion, padding (negative crops), filter, decimation. */
export interface UpfirdnOptions {
  /** Every sample is followed by `up - 1` zeros. */
  readonly up?: number;
  /** Every `down`-th sample is kept. */
  readonly down?: number;
  readonly pad: readonly [before: number, after: number];
  /** The filter; applied as a convolution (the first tap meets the newest sample). */
  readonly taps: readonly number[];
  readonly gain?: number;
}

function fill(
  key: string,
  rows: number,
  columns: number,
  at: (row: number, add: (column: number, value: number) => void) => void,
): AxisMatrix {
  const data = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    at(row, (column, value) => {
      if (column >= 0 && column < columns) data[row * columns + column]! += value;
    });
  }
  return { key, rows, columns, data };
}

/**
 * The matrix of zero-insertion by `up`, padding, filtering and decimation by `down` of `size` pixels.
 *
 * Source: the definition of "upfirdn" as used by StyleGAN2 (Karras et al. 2020, appendix B).
 */
export function upfirdnMatrix(size: number, options: UpfirdnOptions): AxisMatrix {
  const { up = 1, down = 1, pad: [before, after], taps, gain = 1 } = options;
  const rows = Math.floor((size * up + before + after - taps.length) / down) + 1;
  const key = `upfirdn(${size},${up},${down},${before},${after},${taps.join(" ")},${gain})`;
  return fill(key, rows, size, (row, add) => {
    for (let k = 0; k < taps.length; k++) {
      const position = row * down + k - before; // in the zero-inserted signal
      if (position % up === 0) add(position / up, gain * taps[taps.length - 1 - k]!);
    }
  });
}

/** The matrix of linear interpolation from one size to another, without antialiasing. */
export function bilinearMatrix(
  from: number,
  to: number,
  { alignCorners }: { readonly alignCorners: boolean },
): AxisMatrix {
  return fill(`bilinear(${from},${to},${alignCorners})`, to, from, (row, add) => {
    const position = alignCorners
      ? (to === 1 ? 0 : row * (from - 1) / (to - 1))
      : Math.max(0, (row + 0.5) * from / to - 0.5);
    const low = Math.min(Math.floor(position), from - 1);
    const weight = position - low;
    add(low, 1 - weight);
    add(Math.min(low + 1, from - 1), weight);
  });
}

/** The matrix that averages `from / to` neighbours; `from` must be a multiple of `to`. */
export function areaMatrix(from: number, to: number): AxisMatrix {
  if (from % to !== 0) {
    throw new RangeError(
      `Cannot make an area matrix: expected a size that is a multiple of ${to} but received ${from}`,
    );
  }
  const factor = from / to;
  return fill(`area(${from},${to})`, to, from, (row, add) => {
    for (let k = 0; k < factor; k++) add(row * factor + k, 1 / factor);
  });
}

/** The matrix that repeats every pixel `factor` times. */
export function nearestMatrix(size: number, factor: number): AxisMatrix {
  const key = `nearest(${size},${factor})`;
  return fill(key, size * factor, size, (row, add) => add(Math.floor(row / factor), 1));
}

/** The transposed matrix: the derivative of the resampling. */
export function transposed(matrix: AxisMatrix): AxisMatrix {
  const { key, rows, columns, data } = matrix;
  const turned = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = data[row * columns + column]!;
    }
  }
  const turnedKey = key.startsWith("transposed ") ? key.slice(11) : `transposed ${key}`;
  return { key: turnedKey, rows: columns, columns: rows, data: turned };
}
