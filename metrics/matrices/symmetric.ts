/**
 * Dense symmetric matrices in float64, row-major. General libraries need minutes for the 2048 x 2048
 * matrices of Inception features; these read memory in order and compute no eigenvectors.
 *
 * @module
 */

/**
 * Products of all rows, `A B^T`: `[n,size]` and `[m,size]` give `[n,m]`.
 *
 * Eight products at a time, so that what is read is used more than once.
 */
export function rowProducts64(
  left: Float64Array,
  right: Float64Array,
  size: number,
): Float64Array {
  const n = left.length / size;
  const m = right.length / size;
  const result = new Float64Array(n * m);
  const tiles = { left, right, result, size, m };
  for (let i = 0; i + 2 <= n; i += 2) {
    for (let j = 0; j + 4 <= m; j += 4) multiplyTile(tiles, i, j);
  }
  const single = (i: number, j: number) => {
    let sum = 0;
    for (let k = 0; k < size; k++) sum += left[i * size + k]! * right[j * size + k]!;
    result[i * m + j] = sum;
  };
  for (let i = 0; i < n; i++) {
    for (let j = i < n - n % 2 ? m - m % 4 : 0; j < m; j++) single(i, j);
  }
  return result;
}

/** Two rows with four rows. Plain variables: arrays, even of constants, make this seven times slower. */
function multiplyTile(
  { left, right, result, size, m }: {
    readonly left: Float64Array;
    readonly right: Float64Array;
    readonly result: Float64Array;
    readonly size: number;
    readonly m: number;
  },
  i: number,
  j: number,
): void {
  let aa = 0, ab = 0, ac = 0, ad = 0, ba = 0, bb = 0, bc = 0, bd = 0;
  const p = i * size, q = p + size;
  const t = j * size, u = t + size, v = u + size, w = v + size;
  for (let k = 0; k < size; k++) {
    const x = left[p + k]!, y = left[q + k]!;
    const e = right[t + k]!, f = right[u + k]!, g = right[v + k]!, h = right[w + k]!;
    aa += x * e;
    ba += y * e;
    ab += x * f;
    bb += y * f;
    ac += x * g;
    bc += y * g;
    ad += x * h;
    bd += y * h;
  }
  const at = i * m + j;
  result.set([aa, ab, ac, ad], at);
  result.set([ba, bb, bc, bd], at + m);
}

/**
 * A root of a positive semidefinite matrix: `R` `[rank,size]` with `R^T R = A`.
 *
 * Cholesky's factorisation with the largest pivot first; it ends where what is left is rounding, so
 * that singular matrices have fewer rows.
 *
 * Source: Higham, Analysis of the Cholesky decomposition of a semi-definite matrix, 1990.
 */
export function choleskyRows(matrix: Float64Array, size: number): Float64Array {
  const columns = new Float64Array(size * size); // row i holds what row i of R^T has so far
  const left = Float64Array.from({ length: size }, (_, i) => matrix[i * size + i]!);
  const isDone = new Uint8Array(size);
  const tolerance = size * Number.EPSILON * left.reduce((most, x) => Math.max(most, x), 0);
  let rank = 0;
  for (; rank < size; rank++) {
    let pivot = -1;
    for (let i = 0; i < size; i++) {
      if (!isDone[i] && (pivot < 0 || left[i]! > left[pivot]!)) pivot = i;
    }
    if (!(left[pivot]! > tolerance)) break;
    const root = Math.sqrt(left[pivot]!);
    isDone[pivot] = 1;
    const own = columns.subarray(pivot * size, pivot * size + rank);
    for (let i = 0; i < size; i++) {
      if (isDone[i]) continue;
      const row = columns.subarray(i * size, i * size + rank + 1);
      const value = (matrix[pivot * size + i]! - dot(row, own)) / root;
      row[rank] = value;
      left[i]! -= value * value;
    }
    columns[pivot * size + rank] = root;
  }
  const rows = new Float64Array(rank * size);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < rank; k++) rows[k * size + i] = columns[i * size + k]!;
  }
  return rows;
}

/** Over the length of the second; four sums, which need not wait for each other. */
function dot(left: Float64Array, right: Float64Array): number {
  let a = 0, b = 0, c = 0, d = 0, k = 0;
  for (; k + 4 <= right.length; k += 4) {
    a += left[k]! * right[k]!;
    b += left[k + 1]! * right[k + 1]!;
    c += left[k + 2]! * right[k + 2]!;
    d += left[k + 3]! * right[k + 3]!;
  }
  for (; k < right.length; k++) a += left[k]! * right[k]!;
  return a + b + c + d;
}

/**
 * The eigenvalues of a symmetric matrix, in no order. The matrix is used up.
 *
 * Source: Golub and Van Loan, Matrix Computations, 3rd edition, algorithms 8.3.1 to 8.3.3.
 */
export function symmetricEigenvalues(matrix: Float64Array, size: number): Float64Array {
  const { diagonal, beside } = tridiagonal(matrix, size);
  for (let end = size - 1; end > 0;) {
    for (let i = 0; i < end; i++) {
      const scale = Math.abs(diagonal[i]!) + Math.abs(diagonal[i + 1]!);
      if (Math.abs(beside[i]!) <= Number.EPSILON * scale) beside[i] = 0;
    }
    if (beside[end - 1] === 0) {
      end--;
      continue;
    }
    let start = end - 1;
    while (start > 0 && beside[start - 1] !== 0) start--;
    chase(diagonal, beside, start, end);
  }
  return diagonal;
}

/** Householder's reduction to a tridiagonal matrix with the same eigenvalues. */
function tridiagonal(
  matrix: Float64Array,
  size: number,
): { readonly diagonal: Float64Array; readonly beside: Float64Array } {
  const beside = new Float64Array(Math.max(0, size - 1));
  const v = new Float64Array(size);
  const q = new Float64Array(size);
  for (let k = 0; k < size - 2; k++) {
    const from = k + 1;
    let square = 0;
    for (let i = from; i < size; i++) {
      v[i] = matrix[i * size + k]!;
      square += v[i]! ** 2;
    }
    const length = v[from]! > 0 ? -Math.sqrt(square) : Math.sqrt(square);
    beside[k] = length;
    if (length === 0) continue;
    v[from]! -= length;
    const factor = 1 / (square - length * (v[from]! + length)); // 2 / v.v
    // q = factor A v, of which only the lower triangle is kept up to date
    q.fill(0, from);
    for (let i = from; i < size; i++) {
      const row = i * size, own = v[i]!;
      let sum = matrix[row + i]! * own;
      for (let j = from; j < i; j++) {
        const value = matrix[row + j]!;
        sum += value * v[j]!;
        q[j]! += value * own;
      }
      q[i]! += sum;
    }
    let product = 0;
    for (let i = from; i < size; i++) {
      q[i]! *= factor;
      product += q[i]! * v[i]!;
    }
    const half = factor * product / 2;
    for (let i = from; i < size; i++) q[i]! -= half * v[i]!;
    for (let i = from; i < size; i++) {
      const row = i * size, x = v[i]!, y = q[i]!;
      for (let j = from; j <= i; j++) matrix[row + j]! -= x * q[j]! + y * v[j]!;
    }
  }
  if (size > 1) beside[size - 2] = matrix[(size - 1) * size + size - 2]!;
  return {
    diagonal: Float64Array.from({ length: size }, (_, i) => matrix[i * size + i]!),
    beside,
  };
}

/** One implicit QR step with Wilkinson's shift on the rows `start` to `end`. */
function chase(
  diagonal: Float64Array,
  beside: Float64Array,
  start: number,
  end: number,
): void {
  const last = beside[end - 1]!;
  const middle = (diagonal[end - 1]! - diagonal[end]!) / 2;
  const sign = middle < 0 ? -1 : 1;
  const shift = diagonal[end]! - last * last / (middle + sign * Math.hypot(middle, last));
  let [x, z] = [diagonal[start]! - shift, beside[start]!];
  for (let k = start; k < end; k++) {
    const length = Math.hypot(x, z);
    const c = length === 0 ? 1 : x / length, s = length === 0 ? 0 : z / length;
    if (k > start) beside[k - 1] = length;
    const a = diagonal[k]!, b = beside[k]!, d = diagonal[k + 1]!;
    diagonal[k] = c * c * a + 2 * c * s * b + s * s * d;
    diagonal[k + 1] = s * s * a - 2 * c * s * b + c * c * d;
    beside[k] = c * s * (d - a) + (c * c - s * s) * b;
    if (k === end - 1) return;
    x = beside[k]!;
    z = s * beside[k + 1]!;
    beside[k + 1]! *= c;
  }
}
