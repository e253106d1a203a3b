import assert from "node:assert/strict";
import type { HostArray } from "../../../core/contracts.ts";
import { distanceMetric } from "../../../metrics/distance.ts";
import { measurePairs, type Pairs } from "../../../pipelines/evaluate/pairs.ts";

const flat = (...values: number[]): HostArray => ({
  shape: [values.length, 16, 16, 3],
  data: Float32Array.from({ length: values.length * 768 }, (_, i) => values[Math.floor(i / 768)]!),
});

Deno.test("measurePairs() gives the PSNR of every pair, and the metric's of all", async () => {
  const pairs: Pairs = {
    count: 3,
    async *batches(tick) {
      yield await Promise.resolve({ student: flat(0, 0.5), teacher: flat(0.2, 0.7) });
      tick(4);
      yield { student: flat(0.1), teacher: flat(0.12) };
      tick(2);
    },
    at: () => Promise.reject(new Error("not asked for")),
  };
  let ticks = 0;
  const { values, psnr } = await measurePairs(pairs, {
    metric: distanceMetric,
    options: {},
    network: undefined,
    tick: (images) => ticks += images,
  });
  assert.deepEqual(psnr.map((value) => Math.round(100 * value) / 100), [20, 20, 40]);
  assert.ok(
    Math.abs(values["psnr"]! - 80 / 3) < 1e-3 && Math.abs(values["psnr_worst"]! - 20) < 1e-3,
  );
  assert.equal(ticks, 6);
});
