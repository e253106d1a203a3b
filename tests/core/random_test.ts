import assert from "node:assert/strict";
import { createRandom } from "../../core/random.ts";

Deno.test("createRandom() draws the numbers that earlier versions drew", () => {
  const random = createRandom(1, "z", 7);
  assert.deepEqual([random.next(), random.next(), random.integer(1000)], [
    0.5807433957234025,
    0.5975341198500246,
    130,
  ]);
  assert.deepEqual([...createRandom(1, "z", 7).normal([3]).data], [
    1.4946521520614624,
    1.8054676055908203,
    -1.5956807136535645,
  ]);
});

Deno.test("createRandom() has a sequence of its own for every seed, stream and index", () => {
  const keys: readonly (readonly [number, string, number])[] = [
    [1, "z", 7],
    [2, "z", 7],
    [1, "y", 7],
    [1, "z", 8],
    [7, "z", 1],
    [1, "z", 2 ** 32 + 7],
    [2 ** 32 + 1, "z", 7],
    [2 ** 33 + 1, "z", 7],
  ];
  assert.equal(new Set(keys.map((key) => createRandom(...key).next())).size, keys.length);
  for (const key of keys) assert.equal(createRandom(...key).next(), createRandom(...key).next());
});

Deno.test("createRandom().normal() has mean 0, the deviation that is asked for, and no skew", () => {
  const { shape, data } = createRandom(3, "test").normal([100, 1001], 2); // an odd number
  assert.deepEqual([shape, data.length], [[100, 1001], 100_100]);
  const moment = (power: number) =>
    data.reduce((sum, value) => sum + value ** power, 0) / data.length;
  assert.ok(Math.abs(moment(1)) < 0.03);
  assert.ok(Math.abs(moment(2) - 4) < 0.08);
  assert.ok(Math.abs(moment(3)) < 0.3);
  assert.ok(Math.abs(moment(4) / 48 - 1) < 0.05); // 3 deviation^4
  const neighbours = data.slice(1).reduce((sum, value, i) => sum + value * data[i]!, 0);
  assert.ok(Math.abs(neighbours / data.length) < 0.06);
});

Deno.test("createRandom() spreads uniform numbers and integers evenly over their range", () => {
  const { data } = createRandom(3, "test").uniform([60_000], -1, 2);
  assert.ok(data.every((value) => value >= -1 && value <= 2));
  const random = createRandom(4, "test");
  const integers = Array.from({ length: 60_000 }, () => random.integer(6));
  for (let cell = 0; cell < 6; cell++) {
    const inside = data.filter((value) => Math.floor(2 * (value + 1)) === cell).length;
    assert.ok(Math.abs(inside - 10_000) < 400, `${inside}`);
    const drawn = integers.filter((value) => value === cell).length;
    assert.ok(Math.abs(drawn - 10_000) < 400, `${drawn}`);
  }
});
