import assert from "node:assert/strict";
import fc from "fast-check";
import { type Point, seriesOf, smooth, thin } from "../../io/event_series.ts";

const points: fc.Arbitrary<Point[]> = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), {
  minLength: 1,
  maxLength: 200,
}).map((values) => values.map((value, i) => ({ kimg: i, value })));

Deno.test("seriesOf() collects finite numbers by name, in order of appearance", () => {
  const events = [
    { kind: "start", kimg: 0, losses: { pixel: 9 } },
    { kind: "step", kimg: 1, losses: { pixel: 0.5, wavelet: "NaN" } },
    { kind: "step", kimg: 2, losses: { wavelet: 0.25, pixel: Infinity } },
    { kind: "step", losses: { pixel: 1 } },
    { kind: "step", kimg: 3 },
    { kind: "sample", kimg: 3, measures: { psnrDb: 15 } },
  ];
  assert.deepEqual([...seriesOf(events, "step")], [
    ["pixel", [{ kimg: 1, value: 0.5 }]],
    ["wavelet", [{ kimg: 2, value: 0.25 }]],
  ]);
  assert.deepEqual([...seriesOf(events, "sample")], [["psnrDb", [{ kimg: 3, value: 15 }]]]);
});

Deno.test("smooth() takes the mean around each point", () => {
  const values = [0, 3, 6, 3, 9].map((value, kimg) => ({ kimg, value }));
  assert.deepEqual(smooth(values, 3).map(({ value }) => value), [1.5, 3, 4, 6, 6]);
  assert.deepEqual(smooth(values, 1), values);
});

Deno.test("smooth() stays between the lowest and the highest", () => {
  fc.assert(fc.property(points, fc.integer({ min: 1, max: 50 }), (points, window) => {
    const low = Math.min(...points.map(({ value }) => value));
    const high = Math.max(...points.map(({ value }) => value));
    const smoothed = smooth(points, window);
    assert.deepEqual(smoothed.map(({ kimg }) => kimg), points.map(({ kimg }) => kimg));
    const slack = 1e-6;
    assert.ok(smoothed.every(({ value }) => value >= low - slack && value <= high + slack));
  }));
});

Deno.test("thin() keeps the order, the extremes and the limit", () => {
  fc.assert(fc.property(points, fc.integer({ min: 2, max: 40 }), (points, count) => {
    const thinned = thin(points, count);
    assert.ok(thinned.length <= Math.max(2, count));
    assert.ok(thinned.every(({ kimg }, i) => i === 0 || kimg >= thinned[i - 1]!.kimg));
    const values = (points: readonly Point[]) => points.map(({ value }) => value);
    assert.equal(Math.min(...values(thinned)), Math.min(...values(points)));
    assert.equal(Math.max(...values(thinned)), Math.max(...values(points)));
  }));
});
