import { createRegistry, createStudent, createTeacher, testPlugin, tf } from "haarlem";
import assert from "node:assert/strict";
import cdf53 from "./mod.ts";

const [inverse] = cdf53.upscales;

/** The image of bands of one channel each, every band as rows of numbers. */
function imageOf(bands: readonly number[][][]): number[][] {
  const image = tf.tidy(() => {
    const x = tf.transpose(tf.tensor4d([bands as number[][][]]), [0, 2, 3, 1]) as tf.Tensor4D;
    return tf.squeeze(inverse.apply({}, { x, style: tf.zeros([1, 1]) }, {}), [0, 3]);
  });
  const rows = image.arraySync() as number[][];
  image.dispose();
  return rows;
}

/** Lifting forwards, of one row: what the plugin undoes. */
function split(row: readonly number[]): { low: number[]; high: number[] } {
  const at = (x: readonly number[], i: number) => x[Math.min(Math.max(i, 0), x.length - 1)]!;
  const even = row.filter((_, i) => i % 2 === 0);
  const odd = row.filter((_, i) => i % 2 === 1);
  const high = odd.map((x, i) => x - (at(even, i) + at(even, i + 1)) / 2);
  const low = even.map((x, i) => x + (at(high, i - 1) + at(high, i)) / 4);
  return { low, high };
}

const transposed = (rows: readonly (readonly number[])[]) =>
  rows[0]!.map((_, i) => rows.map((row) => row[i]!));

/** The bands of an image: rows are split first, then columns. */
function bandsOf(image: readonly (readonly number[])[]): number[][][] {
  const rows = image.map(split);
  return (["low", "high"] as const).flatMap((horizontal) => {
    const columns = transposed(rows.map((row) => row[horizontal])).map(split);
    return [transposed(columns.map(({ low }) => low)), transposed(columns.map(({ high }) => high))];
  });
}

Deno.test("cdf53/inverse does what its kind asks for", async () => {
  const checks = await testPlugin(cdf53);
  assert.equal(checks.length, 10);
});

Deno.test("cdf53/inverse without details interpolates linearly", () => {
  const none = [[0, 0], [0, 0]];
  assert.deepEqual(imageOf([[[0, 4], [8, 12]], none, none, none]), [
    [0, 2, 4, 4],
    [4, 6, 8, 8],
    [8, 10, 12, 12],
    [8, 10, 12, 12],
  ]);
});

Deno.test("cdf53/inverse undoes the transform", () => {
  const image = [[3, 1, 4, 1], [5, 9, 2, 6], [5, 3, 5, 8], [9, 7, 9, 3]];
  assert.deepEqual(imageOf(bandsOf(image)), image);
});

Deno.test("cdf53/inverse says which channels it takes", () => {
  assert.throws(() => inverse.outChannels(6, {}), {
    name: "RangeError",
    message:
      'Cannot use upscale "cdf53/inverse": expected channels that are a multiple of 4 but received 6',
  });
});

Deno.test("a student takes cdf53/inverse by its name", () => {
  const teacher = createTeacher({ sizePx: 16, styleDim: 8, mappingLayers: 2, channels: [8, 8, 8] });
  const registry = createRegistry().use(cdf53);
  const student = createStudent(teacher, { upscale: { name: "cdf53/inverse" } }, { registry });
  assert.equal(student.config.upscale.name, "cdf53/inverse");
});

/** Never called: what the compiler accepts and refuses. */
export function types(): void {
  const registry = createRegistry().use(cdf53);
  registry.resolve("upscale", { name: "cdf53/inverse" });
  // @ts-expect-error a misspelt name
  registry.resolve("upscale", { name: "cdf53/invers" });
}
