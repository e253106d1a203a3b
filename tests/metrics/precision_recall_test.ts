import assert from "node:assert/strict";
import { createRandom } from "../../core/random.ts";
import { precisionRecall, precisionRecallMetric } from "../../metrics/precision_recall.ts";
import { batched, features, reference, reversed } from "./reference.ts";

const left = features(60, 12, 7);
const right = features(75, 12, 3);

Deno.test("precisionRecall() agrees with NumPy", async () => {
  assert.deepEqual(await precisionRecall(left, right), reference.precision_recall);
});

Deno.test("precisionRecallMetric depends neither on batches nor on the order of images", async () => {
  const inputs = { features: batched(reversed(left), 7), reference: batched(reversed(right), 11) };
  const result = await precisionRecallMetric.compute(inputs, { neighbours: 3 });
  assert.deepEqual(result, reference.precision_recall);
});

Deno.test("precisionRecall() of a set and itself is 1, of sets far apart 0", async () => {
  assert.deepEqual(await precisionRecall(left, left), { precision: 1, recall: 1 });
  const far = { ...left, data: left.data.map((value) => value + 100) };
  assert.deepEqual(await precisionRecall(far, right), { precision: 0, recall: 0 });
});

Deno.test("precisionRecall() tells few good images from many bad ones", async () => {
  const wide = createRandom(1, "wide").normal([600, 2]);
  const narrow = createRandom(1, "narrow").normal([600, 2], 0.2);
  const collapsed = await precisionRecall(narrow, wide);
  assert.ok(collapsed.precision > 0.95 && collapsed.recall < 0.3, JSON.stringify(collapsed));
  const { precision, recall } = await precisionRecall(wide, narrow);
  assert.deepEqual([precision, recall], [collapsed.recall, collapsed.precision]);
});

Deno.test("precisionRecall() refuses sets without so many neighbours", async () => {
  await assert.rejects(precisionRecall(left, features(3, 12, 7)), {
    name: "RangeError",
    message:
      "Cannot compute precision_recall: expected sets of more than 3 images but received 60 and 3",
  });
});
