import assert from "node:assert/strict";
import type { HostArray } from "../../core/contracts.ts";
import { createRandom } from "../../core/random.ts";
import { slicedWasserstein, swdMetric, wasserstein } from "../../metrics/swd.ts";

const SIDE = 32;
const SIZE = SIDE * SIDE * 3;
const FEW = { directions: 16 };

/** Images of soft stripes whose phases and colors differ, plus noise. */
function stripes(count: number, first: number, noise = 0, contrast = 0.5): HostArray {
  const data = new Float32Array(count * SIZE);
  for (let n = 0; n < count; n++) {
    const random = createRandom(7, "stripes", first + n);
    const [phase, frequency] = [random.next() * 6, 0.2 + random.next()];
    const grain = random.normal([SIZE], noise).data;
    for (let i = 0; i < SIZE; i++) {
      const x = Math.floor(i / 3) % SIDE;
      data[n * SIZE + i] = contrast * Math.sin(frequency * x + phase + (i % 3)) + grain[i]!;
    }
  }
  return { shape: [count, SIDE, SIDE, 3], data };
}
function reversed({ shape, data }: HostArray): HostArray {
  const images = Array.from(
    { length: shape[0]! },
    (_, n) => [...data.subarray(n * SIZE, (n + 1) * SIZE)],
  );
  return { shape, data: Float32Array.from(images.reverse().flat()) };
}

Deno.test("slicedWasserstein() names each band and scale, and the mean", () => {
  const distances = slicedWasserstein(stripes(4, 0), stripes(4, 4), FEW);
  const { mean, ...bands } = distances;
  assert.deepEqual(Object.keys(bands), [
    "lh_16px",
    "hl_16px",
    "hh_16px",
    "ll_8px",
    "lh_8px",
    "hl_8px",
    "hh_8px",
  ]);
  const values = Object.values(bands);
  assert.ok(Math.abs(mean! - values.reduce((sum, value) => sum + value) / 7) < 1e-9);
});

Deno.test("slicedWasserstein() is zero for a set and itself in another order", () => {
  const images = stripes(9, 0, 0.1);
  for (const other of [images, reversed(images)]) {
    assert.ok(Object.values(slicedWasserstein(images, other, FEW)).every((value) => value === 0));
  }
});

Deno.test("slicedWasserstein() does not depend on the order of either set", () => {
  const [left, right] = [stripes(6, 0, 0.1), stripes(9, 50)];
  const expected = slicedWasserstein(left, right, FEW);
  const shuffled = slicedWasserstein(reversed(left), reversed(right), FEW);
  for (const [key, value] of Object.entries(expected)) {
    assert.ok(Math.abs(shuffled[key]! - value) < 1e-6 * value, key);
  }
});

Deno.test("slicedWasserstein() grows with noise, in the finest bands most", () => {
  const reference = stripes(32, 0);
  const results = [0.02, 0.05, 0.1, 0.2].map((noise) =>
    slicedWasserstein(stripes(32, 0, noise), reference, FEW)
  );
  results.slice(1).forEach((result, i) => assert.ok(result.mean! > 1.2 * results[i]!.mean!));
  assert.ok(results[3]!.hh_16px! > 4 * results[3]!.ll_8px!);
});

Deno.test("slicedWasserstein() sees a loss of contrast", () => {
  const reference = stripes(64, 0);
  const other = slicedWasserstein(stripes(64, 500), reference, FEW).mean!;
  const faded = slicedWasserstein(stripes(64, 500, 0, 0.25), reference, FEW).mean!;
  assert.ok(faded > 2 * other, `${faded} for half the contrast, ${other} for other samples`);
});

Deno.test("slicedWasserstein() is near for samples of one distribution, far for one image", () => {
  const reference = stripes(128, 0);
  const same = slicedWasserstein(stripes(128, 500), reference, FEW).mean!;
  const collapsed = slicedWasserstein(
    { shape: [128, SIDE, SIDE, 3], data: repeat(stripes(1, 500).data, 128) },
    reference,
    FEW,
  ).mean!;
  assert.ok(collapsed > 4 * same, `${collapsed} for one image, ${same} for many`);
});
const repeat = (data: Float32Array, times: number) =>
  Float32Array.from({ length: data.length * times }, (_, i) => data[i % data.length]!);

Deno.test("slicedWasserstein() measures a shift of LL in deviations of the reference", () => {
  // Flat images of level v have LL = 8 v at 8 px (64 px: three halvings) and no other band. The
  // reference's levels 100 and 140 have deviation 20; all patches shift by 10 levels, so by half a
  // deviation per number, and a unit vector u projects that to |sum(u)| / 2.
  const flats = (levels: readonly number[]): HostArray => ({
    shape: [levels.length, 64, 64, 3],
    data: Float32Array.from(
      levels.flatMap((level) => new Array(64 * 64 * 3).fill(level / 127.5 - 1)),
    ),
  });
  const distances = slicedWasserstein(flats([110, 150]), flats([100, 140]), { directions: 4 });
  const directions = createRandom(0, "swd/ll_8px").normal([4, 147]).data;
  const expected = [0, 1, 2, 3].map((d) => {
    const u = directions.subarray(d * 147, (d + 1) * 147);
    return Math.abs(u.reduce((sum, value) => sum + value)) / Math.hypot(...u) / 2;
  }).reduce((sum, value) => sum + value) / 4;
  assert.ok(Math.abs(distances.ll_8px! - 1000 * expected) < 1e-2);
  for (const key of ["lh_32px", "hl_16px", "hh_8px"]) assert.equal(distances[key], 0);
});

Deno.test("slicedWasserstein() puts changes along the width into HL, along the height into LH", () => {
  const gray = { shape: [1, SIDE, SIDE, 3], data: new Float32Array(SIZE) };
  const lines = (along: (pixel: number) => number): HostArray => ({
    ...gray,
    data: gray.data.map((_, i) => along(Math.floor(i / 3)) % 2 ? 0.1 : -0.1),
  });
  const wide = slicedWasserstein(lines((pixel) => pixel % SIDE), gray, FEW);
  const high = slicedWasserstein(lines((pixel) => Math.floor(pixel / SIDE)), gray, FEW);
  const checked = lines((pixel) => pixel % SIDE + Math.floor(pixel / SIDE));
  const both = slicedWasserstein(checked, gray, FEW);
  for (const [distances, band] of [[wide, "hl"], [high, "lh"], [both, "hh"]] as const) {
    for (const other of ["lh", "hl", "hh"]) {
      assert.equal(distances[`${other}_16px`]! > 0, other === band, `${other} for ${band}`);
    }
  }
});

for (
  const [what, shape, options, message] of [
    [
      "sizes that are no multiple of 16",
      [1, 24, 24, 3],
      {},
      "expected square images with a side that is a multiple of 16 px but received 24 x 24 px",
    ],
    [
      "oblong images",
      [1, 32, 16, 3],
      {},
      "expected square images with a side that is a multiple of 16 px but received 32 x 16 px",
    ],
    [
      "three directions",
      [1, 16, 16, 3],
      { directions: 3 },
      "expected directions to be a multiple of 4 but received 3",
    ],
  ] as const
) {
  Deno.test(`slicedWasserstein() refuses ${what}`, () => {
    const images = { shape, data: new Float32Array(shape[1] * shape[2] * 3) };
    assert.throws(() => slicedWasserstein(images, images, options), {
      name: "RangeError",
      message: `Cannot compute swd: ${message}`,
    });
  });
}

Deno.test("swdMetric gives the same for any batches", async () => {
  const [left, right] = [stripes(5, 0), stripes(6, 20)];
  const part = ({ data }: HostArray, from: number, to: number) => ({
    shape: [to - from, SIDE, SIDE, 3],
    data: data.slice(from * SIZE, to * SIZE),
  });
  const result = await swdMetric.compute({
    images: [part(left, 0, 1), part(left, 1, 5)],
    reference: [part(right, 0, 4), part(right, 4, 6)],
  }, { seed: 3, directions: 8, gridSide: 2 });
  assert.deepEqual(
    result,
    slicedWasserstein(left, right, { seed: 3, directions: 8, gridSide: 2 }),
  );
});

Deno.test("wasserstein() is the mean difference of equally many sorted numbers", () => {
  const distance = wasserstein(Float32Array.of(0, 2, 5), Float32Array.of(1, 1, 8));
  assert.ok(Math.abs(distance - 5 / 3) < 1e-12);
});

Deno.test("wasserstein() compares samples of different sizes", () => {
  // scipy.stats.wasserstein_distance([0, 1, 3], [5, 6, 8, 9, 2]) of SciPy 1.17
  const distance = wasserstein(Float32Array.of(0, 1, 3), Float32Array.of(2, 5, 6, 8, 9));
  assert.ok(Math.abs(distance - 4.666666666666667) < 1e-12);
});
