import assert from "node:assert/strict";
import type { HostArray } from "../../core/contracts.ts";
import { distanceMetric, psnr, ssim } from "../../metrics/distance.ts";

const images = (shape: readonly number[], valueAt: (i: number) => number): HostArray => ({
  shape,
  data: Float32Array.from(
    { length: shape.reduce((product, size) => product * size) },
    (_, i) => valueAt(i),
  ),
});
const SHAPE = [2, 16, 13, 3];
const waves = images(SHAPE, (i) => Math.sin(i * 0.37));
const others = images(SHAPE, (i) => 1.2 * Math.sin(i * 0.37 + 0.3 * Math.cos(i * 0.011)));
const isNear = (actual: readonly number[], expected: readonly number[], tolerance = 1e-9) =>
  assert.ok(
    actual.length === expected.length &&
      actual.every((value, i) => Math.abs(value - expected[i]!) < tolerance),
    `received ${actual}`,
  );

/* NumPy 2.4 and SciPy 1.17 on the arrays above, clipped to [-1, 1], float64: for each colour p, q
 * with k the outer product of normalised exp(-x^2 / 4.5), x = -5 ... 5, and f(z) =
 * scipy.signal.convolve2d(z, k, "valid"): mean of (2 f(p) f(q) + C1) (2 (f(pq) - f(p) f(q)) + C2) /
 * ((f(p)^2 + f(q)^2 + C1) (f(pp) - f(p)^2 + f(qq) - f(q)^2 + C2)), C1 = 0.02^2, C2 = 0.06^2;
 * 10 log10(4 / mean((a - b)^2)). */
const SSIM = [0.9457570833749788, 0.9556124932375254];
const PSNR = [20.53928436347253, 20.832995734709463];

Deno.test("ssim() agrees with SciPy", () => isNear(ssim(waves, others), SSIM));
Deno.test("psnr() agrees with NumPy", () => isNear(psnr(waves, others), PSNR));

Deno.test("psnr() is 20 dB for a difference of a tenth of the range", () => {
  const shape = [1, 4, 4, 3];
  isNear(psnr(images(shape, () => 0.1), images(shape, () => -0.1)), [20], 1e-5);
});

Deno.test("psnr() and ssim() of equal images are Infinity and 1", () => {
  assert.deepEqual(psnr(waves, waves), [Infinity, Infinity]);
  isNear(ssim(waves, waves), [1, 1], 1e-12);
});

Deno.test("psnr() and ssim() clamp what no screen can show", () => {
  const loud = images(SHAPE, (i) => 5 * waves.data[i]!);
  const clipped = images(SHAPE, (i) => Math.max(-1, Math.min(1, 5 * waves.data[i]!)));
  assert.deepEqual(psnr(loud, waves), psnr(clipped, waves));
  assert.deepEqual(ssim(loud, waves), ssim(clipped, waves));
});

Deno.test("psnr() and ssim() fall with noise", () => {
  const noisy = [0.01, 0.1, 0.5].map((strength) =>
    images(SHAPE, (i) => waves.data[i]! * 0.5 + strength * Math.cos(i * i))
  );
  const reference = images(SHAPE, (i) => waves.data[i]! * 0.5);
  for (const measure of [psnr, ssim]) {
    const [low, middle, high] = noisy.map((image) => measure(image, reference)[0]!);
    assert.ok(low! > middle! && middle! > high!);
  }
});

Deno.test("psnr() refuses images that are no pairs", () => {
  assert.throws(() => psnr(waves, images([3, 16, 13, 3], () => 0)), {
    name: "RangeError",
    message: "Cannot compare image pairs: expected 3 images but received 2",
  });
  assert.throws(() => psnr(waves, images([2, 13, 16, 3], () => 0)), {
    name: "RangeError",
    message: "Cannot compare images: expected 13 x 16 px but received 16 x 13 px",
  });
});

Deno.test("ssim() refuses images smaller than its window", () => {
  const small = images([1, 10, 20, 3], () => 0);
  assert.throws(() => ssim(small, small), {
    name: "RangeError",
    message: "Cannot compute ssim: expected images of at least 11 x 11 px but received 10 x 20 px",
  });
});

Deno.test("distanceMetric gives mean and worst over all batches", async () => {
  async function* once(array: HostArray) {
    yield await Promise.resolve(array);
  }
  const single = (array: HostArray, n: number) => ({
    shape: [1, 16, 13, 3],
    data: array.data.slice(n * 624, (n + 1) * 624),
  });
  const whole = await distanceMetric.compute({ images: once(waves), reference: [others] }, {});
  const parts = await distanceMetric.compute({
    images: [single(waves, 0), single(waves, 1)],
    reference: [single(others, 0), single(others, 1)],
  }, {});
  assert.deepEqual(parts, whole);
  isNear([whole.psnr!, whole.psnr_worst!, whole.ssim!, whole.ssim_worst!], [
    (PSNR[0]! + PSNR[1]!) / 2,
    PSNR[0]!,
    (SSIM[0]! + SSIM[1]!) / 2,
    SSIM[0]!,
  ]);
});

Deno.test("distanceMetric pools the errors of all pixels", async () => {
  const { psnr_pooled } = await distanceMetric.compute(
    { images: [waves], reference: [others] },
    {},
  );
  const error = PSNR.reduce((sum, value) => sum + 4 / 10 ** (value / 10), 0) / 2;
  isNear([psnr_pooled!], [10 * Math.log10(4 / error)]);
});

Deno.test("distanceMetric asks a feature network about every batch", async () => {
  const first = ({ data }: HostArray) => ({ shape: [1, 16, 13, 3], data: data.slice(0, 624) });
  const result = await distanceMetric.compute({
    images: [waves, first(waves)],
    reference: [others, first(others)],
    distance: ({ shape }: HostArray) => Promise.resolve(shape[0] === 2 ? [1, 3] : [5]),
  }, {});
  isNear([result["feature_distance"]!, result["feature_distance_worst"]!], [3, 5]);
});

Deno.test("distanceMetric refuses streams of different lengths, and none", async () => {
  const uneven = {
    name: "RangeError",
    message: "Cannot compare image pairs: expected as many batches as of the reference but " +
      "received another number after 1",
  };
  await assert.rejects(
    distanceMetric.compute({ images: [waves, waves], reference: [waves] }, {}),
    uneven,
  );
  await assert.rejects(
    distanceMetric.compute({ images: [waves], reference: [waves, waves] }, {}),
    uneven,
  );
  await assert.rejects(distanceMetric.compute({ images: [], reference: [] }, {}), {
    name: "RangeError",
    message: "Cannot measure images: expected some but received none",
  });
});
