import assert from "node:assert/strict";
import type { HostArray } from "../../core/contracts.ts";
import { pplMetric, trimmedMean } from "../../metrics/ppl.ts";
import { assertNumber, batched, images, reference } from "./reference.ts";

/** The bent paths of `reference.py`, some at a time. */
const bent = (count: number) =>
  async function* (positions: readonly number[]) {
    const all = positions.map((position) => batched(images(40, 8, position, 11), count));
    for (let i = 0; i < all[0]!.length; i++) yield await Promise.resolve(all.map((at) => at[i]!));
  };

const meanSquares = (left: HostArray, right: HostArray) => {
  const size = left.data.length / left.shape[0]!;
  const means = Array.from({ length: left.shape[0]! }, () => 0);
  left.data.forEach((x, i) => means[Math.floor(i / size)]! += (x - right.data[i]!) ** 2 / size);
  return Promise.resolve(means);
};

for (const count of [40, 7]) {
  Deno.test(`pplMetric agrees with NumPy in batches of ${count}`, async () => {
    const inputs = { walk: bent(count), distance: meanSquares };
    const result = await pplMetric.compute(inputs, { epsilon: 0.01, trim: 0.05 });
    const expected: Record<string, number> = reference.ppl;
    assert.deepEqual(Object.keys(result).sort(), Object.keys(expected).sort());
    for (const [name, value] of Object.entries(result)) assertNumber(value, expected[name]!, 1e-6);
  });
}

/** A generator whose image is the sum of a linear one and of fast waves in one band. */
const wavy = (band: "ll" | "hh", strength: number) =>
  async function* (positions: readonly number[]) {
    const sign = (i: number) => {
      const pixel = Math.floor(i / 3);
      return band === "ll" ? 1 : (-1) ** (pixel % 4 + Math.floor(pixel / 4));
    };
    yield await Promise.resolve(positions.map((t) => ({
      shape: [1, 4, 4, 3],
      data: Float32Array.from(
        { length: 48 },
        (_, i) => t * Math.sin(i * i) + strength * Math.sin(100 * t) * sign(i),
      ),
    })));
  };

Deno.test("pplMetric says roughness 1 for a generator that fades", async () => {
  const result = await pplMetric.compute({ walk: wavy("ll", 0) }, { epsilon: 1e-3, trim: 0.01 });
  assert.equal("ppl" in result, false);
  for (const band of ["ll", "lh", "hl", "hh"]) assertNumber(result[`roughness_${band}`], 1, 1e-3);
});

for (const band of ["ll", "hh"] as const) {
  Deno.test(`pplMetric finds waves of ${band} in ${band} only`, async () => {
    const options = { epsilon: 1e-3, trim: 0.01 };
    const still = await pplMetric.compute({ walk: wavy(band, 0) }, options);
    const result = await pplMetric.compute({ walk: wavy(band, 0.01) }, options);
    for (const name of Object.keys(still).filter((name) => name.startsWith("ppl_"))) {
      if (name === `ppl_${band}`) assert.ok(result[name]! > 1.5 * still[name]!);
      else assertNumber(result[name], still[name]!, 1e-3);
    }
  });
}

Deno.test("trimmedMean() leaves both ends out", () => {
  assert.equal(trimmedMean([1000, 3, 1, 2, -50], 0.25), 2);
  assert.equal(trimmedMean([4, 1, 1], 0), 2);
});

Deno.test("pplMetric refuses a walk without paths", async () => {
  const walk = async function* () {};
  await assert.rejects(pplMetric.compute({ walk }, { epsilon: 1e-4, trim: 0.01 }), {
    name: "RangeError",
    message: "Cannot compute ppl: expected some paths but received none",
  });
});
