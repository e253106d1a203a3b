import assert from "node:assert/strict";
import type { HostArray } from "../../core/contracts.ts";
import { createRandom } from "../../core/random.ts";
import { fidMetric, frechetDistance, gaussianStatistics } from "../../metrics/fid.ts";
import { assertNumber, batched, features, reference, reversed } from "./reference.ts";

const left = features(60, 12, 7);
const right = features(75, 12, 3);
const fid = async (features: readonly HostArray[], reference: readonly HostArray[]) =>
  (await fidMetric.compute({ features, reference }, {}))["fid"]!;

Deno.test("fidMetric agrees with SciPy", async () => {
  assertNumber(await fid([left], [right]), reference.fid);
});

Deno.test("fidMetric agrees with SciPy for a singular covariance", async () => {
  assertNumber(await fid([features(9, 12, 7)], [right]), reference.fid_singular, 1e-7);
});

Deno.test("fidMetric is symmetric", async () => {
  assertNumber(await fid([right], [left]), reference.fid);
});

Deno.test("fidMetric depends neither on batches nor on the order of images", async () => {
  for (const count of [1, 7, 59]) {
    assertNumber(await fid(batched(reversed(left), count), batched(right, count)), reference.fid);
  }
});

Deno.test("fidMetric of a set and itself is zero", async () => {
  for (const set of [left, features(9, 12, 7)]) {
    assert.ok(await fid([set], batched(set, 5)) < 1e-6);
  }
});

Deno.test("fidMetric takes statistics in the place of features", async () => {
  const features = await gaussianStatistics([left]);
  assertNumber(
    (await fidMetric.compute({ features, reference: [right] }, {}))["fid"],
    reference.fid,
  );
});

Deno.test("frechetDistance() of Gaussians that commute has a closed form", () => {
  // diagonal covariances: |m1 - m2|^2 + sum (s1 - s2)^2
  const gaussian = (mean: readonly number[], deviations: readonly number[]) => ({
    count: 100,
    mean: Float64Array.from(mean),
    covariance: Float64Array.from([deviations[0]! ** 2, 0, 0, deviations[1]! ** 2]),
  });
  const distance = frechetDistance(gaussian([1, 2], [3, 0.5]), gaussian([4, -2], [1, 2.5]));
  assertNumber(distance, 9 + 16 + 4 + 4, 1e-12);
});

Deno.test("frechetDistance() of samples of two Gaussians is near that of the Gaussians", async () => {
  // N(0, 1) and N(1, 2^2) in each of 4 dimensions: 4 (1 + 1)
  const sample = (stream: string, mean: number, deviation: number) => {
    const { shape, data } = createRandom(1, stream).normal([20_000, 4], deviation);
    return { shape, data: data.map((value) => value + mean) };
  };
  assertNumber(await fid([sample("a", 0, 1)], [sample("b", 1, 2)]), 8, 0.03);
});

Deno.test("gaussianStatistics() keeps its digits far from zero", async () => {
  const { shape, data } = createRandom(1, "far").normal([200, 3]);
  const near = await gaussianStatistics([{ shape, data }]);
  // 4096 + x rounds x to 2^-11 at most
  const far = await gaussianStatistics([{ shape, data: data.map((value) => value + 4096) }]);
  near.covariance.forEach((value, i) => assert.ok(Math.abs(far.covariance[i]! - value) < 1e-3));
});

Deno.test("fidMetric refuses features that do not fit", async () => {
  await assert.rejects(fid([left], [features(20, 5, 3)]), {
    name: "RangeError",
    message: "Cannot compute fid: expected features of 12 numbers but received 5",
  });
  await assert.rejects(fid([left, features(20, 5, 3)], [right]), {
    name: "RangeError",
    message: "Cannot measure features: expected features of shape [N,12] but received [20,5]",
  });
  await assert.rejects(fid([features(1, 12, 7)], [right]), {
    name: "RangeError",
    message: "Cannot estimate a covariance: expected features of at least 2 images but received 1",
  });
});
