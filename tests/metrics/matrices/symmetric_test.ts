import assert from "node:assert/strict";
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { createRandom } from "../../../core/random.ts";
import {
  choleskyRows,
  rowProducts64,
  symmetricEigenvalues,
} from "../../../metrics/matrices/symmetric.ts";

const numbers = (name: string, count: number) =>
  Float64Array.from(createRandom(1, name).normal([count]).data);

/** `A A^T` of a random `[size,inner]`. */
function positive(size: number, inner: number): Float64Array {
  const rows = numbers(`${size} ${inner}`, size * inner);
  return rowProducts64(rows, rows, inner);
}

function near(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  assert.equal(actual.length, expected.length);
  Array.from(expected, (value, i) => {
    const difference = Math.abs(actual[i]! - value);
    assert.ok(difference <= tolerance, `${actual[i]} instead of ${value} at ${i}`);
  });
}

for (const [n, m, size] of [[4, 8, 5], [7, 10, 3], [3, 2, 9], [1, 1, 1]] as const) {
  Deno.test(`rowProducts64() of ${n} and ${m} rows is the matrix product`, () => {
    const [left, right] = [numbers("left", n * size), numbers("right", m * size)];
    const expected = Matrix.from1DArray(n, size, left)
      .mmul(Matrix.from1DArray(m, size, right).transpose()).to1DArray();
    near(rowProducts64(left, right, size), expected, 1e-13);
  });
}

for (const [size, inner] of [[1, 3], [2, 5], [3, 3], [9, 20], [40, 60]] as const) {
  Deno.test(`symmetricEigenvalues() of ${size} x ${size} are those of ml-matrix`, () => {
    const matrix = positive(size, inner);
    const { realEigenvalues } = new EigenvalueDecomposition(
      Matrix.from1DArray(size, size, matrix),
      { assumeSymmetric: true },
    );
    const sorted = [...symmetricEigenvalues(matrix, size)].sort((a, b) => a - b);
    near(sorted, realEigenvalues.sort((a, b) => a - b), 1e-11 * inner * size);
  });
}

Deno.test("symmetricEigenvalues() takes diagonal, negative and split matrices", () => {
  near(symmetricEigenvalues(Float64Array.of(3, 0, 0, -2), 2), [3, -2], 0);
  // two blocks: [[0, 1], [1, 0]] and [[2, 3], [3, 2]]
  const split = Float64Array.of(0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 2, 3, 0, 0, 3, 2);
  near([...symmetricEigenvalues(split, 4)].sort((a, b) => a - b), [-1, -1, 1, 5], 1e-14);
  assert.deepEqual(symmetricEigenvalues(new Float64Array(9), 3), new Float64Array(3));
});

for (const [size, inner] of [[1, 1], [6, 9], [12, 12], [30, 7]] as const) {
  Deno.test(`choleskyRows() is a root of a matrix ${size} x ${size} of rank ${inner}`, () => {
    const matrix = positive(size, inner);
    const rows = choleskyRows(matrix, size);
    const rank = rows.length / size;
    assert.equal(rank, Math.min(size, inner));
    const transposed = Float64Array.from(
      { length: rows.length },
      (_, i) => rows[(i % rank) * size + Math.floor(i / rank)]!,
    );
    near(rowProducts64(transposed, transposed, rank), matrix, 1e-12 * inner);
  });
}

Deno.test("choleskyRows() of nothing has no rows", () => {
  assert.equal(choleskyRows(new Float64Array(9), 3).length, 0);
});
