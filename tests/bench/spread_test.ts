import assert from "node:assert/strict";
import { median, ratioOf, spreadOf, spreadText } from "../../bench/spread.ts";

const rounds = (...list: number[][]) => ({ rounds: list.map((ms) => ({ ms, cpuMs: ms })) });

Deno.test("median() is the one in the middle, or the mean of two", () => {
  assert.equal(median([30, 1, 2]), 2);
  assert.equal(median([10, 1, 2, 4]), 3);
});

Deno.test("spreadOf() keeps the ends", () => {
  assert.deepEqual(spreadOf([3, 9, 1]), { median: 3, least: 1, most: 9 });
});

Deno.test("ratioOf() divides the medians of the same round", () => {
  const ours = rounds([10, 10, 90], [20, 20]);
  const peer = rounds([20, 20, 20], [30, 30]);
  assert.deepEqual(ratioOf(ours, [peer]), { median: 1.75, least: 1.5, most: 2 });
});

Deno.test("ratioOf() takes the best reference of each round", () => {
  const ours = rounds([10], [10]);
  assert.deepEqual(ratioOf(ours, [rounds([20], [50]), rounds([40], [30])]), {
    median: 2.5,
    least: 2,
    most: 3,
  });
});

Deno.test("ratioOf() can compare processor times", () => {
  const of = (ms: number, cpuMs: number) => ({ rounds: [{ ms: [ms], cpuMs: [cpuMs] }] });
  assert.equal(ratioOf(of(9, 10), [of(90, 20)], "cpuMs")?.median, 2);
});

Deno.test("ratioOf() leaves rounds out that only one has", () => {
  assert.deepEqual(ratioOf(rounds([10]), [rounds([20], [50])]), { median: 2, least: 2, most: 2 });
  assert.equal(ratioOf(rounds([10]), []), undefined);
});

Deno.test("spreadText() names the ends if there are two", () => {
  assert.equal(spreadText({ median: 1.714, least: 1.652, most: 1.8 }), "1.71 (1.65-1.80)");
  assert.equal(spreadText({ median: 1, least: 1, most: 1 }), "1.00");
});
