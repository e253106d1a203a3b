import assert from "node:assert/strict";
import { type RowProducts, rowProducts } from "../../core/feature_stream.ts";
import { createRandom } from "../../core/random.ts";
import { kernelDistance, kidMetric } from "../../metrics/kid.ts";
import { assertNumber, batched, features, reference } from "./reference.ts";

const left = features(60, 12, 7);
const right = features(75, 12, 3);
const SETTINGS = { subsets: 50, subsetSize: 1000, seed: 1 };

Deno.test("kernelDistance() agrees with NumPy", async () => {
  assertNumber(await kernelDistance(left, right), reference.kid, 1e-6); // products in float32
  assertNumber(await kernelDistance(right, left), reference.kid, 1e-6);
});

Deno.test("kernelDistance() of two samples of one distribution is zero on average", async () => {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < 40; i++) {
    const random = createRandom(3, "pair", i);
    const distance = await kernelDistance(random.normal([20, 5]), random.normal([30, 5]));
    sum += distance;
    squares += distance ** 2;
  }
  const deviation = Math.sqrt(squares / 40);
  assert.ok(Math.abs(sum / 40) < 3 * deviation / Math.sqrt(40), `${sum / 40}, ${deviation}`);
});

Deno.test("kidMetric averages over subsets of both sets", async () => {
  const { kid, kid_spread } = await kidMetric.compute(
    { features: [left], reference: [right] },
    SETTINGS,
  );
  assertNumber(kid, reference.kid, 0.1);
  assert.ok(kid_spread! > 0 && kid_spread! < 0.1);
});

Deno.test("kidMetric gives the same for any batches and for the same seed only", async () => {
  const compute = (count: number, seed: number) =>
    kidMetric.compute({ features: batched(left, count), reference: batched(right, count) }, {
      ...SETTINGS,
      seed,
    });
  const expected = await compute(100, 1);
  assert.deepEqual(await compute(7, 1), expected);
  assert.notDeepEqual(await compute(7, 2), expected);
});

Deno.test("kidMetric asks for products of subsets of at most half of the smaller set", async () => {
  const shapes = new Set<string>();
  const products: RowProducts = (a, b) => {
    shapes.add(`${a.shape} ${b.shape}`);
    return rowProducts(a, b);
  };
  await kidMetric.compute({ features: [left], reference: [right], products }, SETTINGS);
  assert.deepEqual([...shapes], ["30,12 30,12"]);
});

Deno.test("kidMetric refuses sets that are too small", async () => {
  await assert.rejects(
    kidMetric.compute({ features: [features(3, 12, 7)], reference: [right] }, SETTINGS),
    {
      name: "RangeError",
      message: "Cannot compute kid: expected sets of at least 4 images but received 3 and 75",
    },
  );
  await assert.rejects(kernelDistance(features(1, 12, 7), right), {
    name: "RangeError",
    message: "Cannot compute kid: expected sets of at least 2 images but received 1 and 75",
  });
});
