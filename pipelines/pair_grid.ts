import type { HostArray } from "../core/contracts.ts";

/** What `imageGrid()` takes of pairs. */
export interface PairGrid {
  /** `[2 rows columns,S,S,3]` */
  readonly images: HostArray;
  readonly columns: number;
  /** Of each row. */
  readonly labels: readonly string[];
}

const WIDEST_PX = 2048; // of a picture: 64 pairs of 1024 px would be 8192 px wide

/** Rows of the teacher's images, and below each the student's for the same latents: the first ones. */
export function pairGrid(teacher: HostArray, student: HostArray): PairGrid {
  const [, sizePx] = teacher.shape as [number, number];
  const columns = Math.max(2, Math.min(8, WIDEST_PX / sizePx));
  const rows = columns / 2;
  const size = columns * teacher.shape.slice(1).reduce((product, n) => product * n, 1);
  const data = new Float32Array(2 * rows * size);
  for (let row = 0; row < rows; row++) {
    const part = [row * size, (row + 1) * size] as const;
    data.set(teacher.data.subarray(...part), 2 * row * size);
    data.set(student.data.subarray(...part), (2 * row + 1) * size);
  }
  const shape = [2 * rows * columns, ...teacher.shape.slice(1)];
  const labels = Array.from({ length: 2 * rows }, (_, i) => i % 2 ? "student" : "teacher");
  return { images: { shape, data }, columns, labels };
}
