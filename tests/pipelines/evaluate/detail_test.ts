import assert from "node:assert/strict";
import type { HostArray } from "../../../core/contracts.ts";
import { createRandom } from "../../../core/random.ts";
import { createDetailSums, finestBands } from "../../../pipelines/evaluate/detail.ts";

const noise = (name: string, count = 3): HostArray =>
  createRandom(2, name).normal([count, 16, 16, 3]);
const scaled = ({ shape, data }: HostArray, factor: number) => ({
  shape,
  data: data.map((value) => value * factor),
});

function detailOf(...pairs: (readonly [student: HostArray, teacher: HostArray])[]) {
  const sums = createDetailSums();
  for (const [student, teacher] of pairs) sums.add(student, teacher);
  return sums.finish();
}

Deno.test("createDetailSums() finds no difference in equal images", () => {
  const { values, maps, means } = detailOf([noise("a"), noise("a")]);
  assert.deepEqual(Object.keys(values).filter((key) => key.startsWith("energy")), [
    "energy_lh_8px",
    "energy_hl_8px",
    "energy_hh_8px",
    "energy_ll_4px",
    "energy_lh_4px",
    "energy_hl_4px",
    "energy_hh_4px",
  ]);
  for (const [key, value] of Object.entries(values)) {
    assert.equal(value, key.startsWith("energy") ? 1 : 0, key);
  }
  assert.ok(maps.hh.data.every((value) => value === 0));
  assert.deepEqual(means.student, means.teacher);
});

Deno.test("createDetailSums() sees half the contrast as a quarter of the energy", () => {
  const { values } = detailOf([scaled(noise("a"), 0.5), noise("a")]);
  for (const value of Object.values(values)) assert.ok(Math.abs(value - 0.25) < 1e-6);
});

Deno.test("createDetailSums() puts a change of one band into its map", () => {
  // a checkerboard of 1 px over the left half, added to noise: HH of +-1
  const teacher = noise("a", 1);
  const data = teacher.data.map((value, i) => {
    const [y, x] = [Math.floor(i / 48), Math.floor(i / 3) % 16];
    return value + (x < 8 ? 0.5 * (-1) ** (x + y) : 0);
  });
  const { maps, values } = detailOf([{ shape: teacher.shape, data }, teacher]);
  assert.deepEqual(maps.hh.shape, [8, 8]);
  maps.hh.data.forEach((value, i) => assert.ok(Math.abs(value - (i % 8 < 4 ? 1 : 0)) < 1e-6));
  for (const name of ["ll", "lh", "hl"] as const) {
    assert.ok(maps[name].data.every((value) => value < 1e-6), name);
  }
  assert.ok(values["error_hh_8px"]! > 0.1 && values["error_hh_4px"]! < 1e-6);
});

Deno.test("createDetailSums() depends on the pairs, not on their batches", () => {
  const [student, teacher] = [noise("a", 4), noise("b", 4)];
  const half = ({ data }: HostArray, from: number) => ({
    shape: [2, 16, 16, 3],
    data: data.slice(from * 768, (from + 2) * 768),
  });
  const whole = detailOf([student, teacher]);
  const parts = detailOf([half(student, 0), half(teacher, 0)], [
    half(student, 2),
    half(teacher, 2),
  ]);
  for (const [key, value] of Object.entries(whole.values)) {
    assert.ok(Math.abs(parts.values[key]! - value) < 1e-9, key);
  }
  whole.means.student.data.forEach((value, i) =>
    assert.ok(Math.abs(parts.means.student.data[i]! - value) < 1e-6)
  );
});

Deno.test("finestBands() keeps images apart", () => {
  const images = noise("a", 2);
  const { lh } = finestBands(images);
  assert.deepEqual(lh.shape, [2, 8, 8, 3]);
  const second = finestBands({ shape: [1, 16, 16, 3], data: images.data.slice(768) });
  assert.deepEqual(lh.data.slice(192), second.lh.data);
});
