import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { lift } from "../../core/flat.ts";
import { createEngine } from "../../engine/mod.ts";
import { inceptionFeatures, inceptionStages } from "../../networks/inception.ts";
import { convert } from "../../pipelines/convert.ts";
import { inceptionEntries } from "../../pipelines/convert/feature_networks.ts";
import { assertStage, formulaFile, referenceImage, stagesOf } from "./frozen_reference.ts";

Deno.test("inceptionStages() agree with PyTorch, from the file to the features", async (t) => {
  const { weights, kind } = await convert(formulaFile(inceptionEntries()));
  assert.equal(kind, "inception");
  const engine = await createEngine();
  const run = engine.compile(({ image }: { image: tf.Tensor }) => {
    const params = lift(weights);
    const features = inceptionFeatures(params, image as tf.Tensor4D);
    return {
      ...inceptionStages(params, image as tf.Tensor4D),
      features: tf.reshape(features, [1, 1, 1, 2048]),
    };
  }, { name: "inception" });
  const outputs: Record<string, { shape: readonly number[]; data: Float32Array }> = await run({
    image: referenceImage(),
  });
  const expected = stagesOf("inception");
  assert.deepEqual(Object.keys(outputs), Object.keys(expected));
  for (const [name, stage] of Object.entries(expected)) {
    await t.step(name, () => assertStage(outputs[name]!, stage));
  }
  await engine.dispose();
});

Deno.test("inceptionFeatures() names a weight that is missing", () => {
  assert.throws(() => inceptionFeatures({}, tf.zeros([1, 299, 299, 3])), {
    name: "RangeError",
    message:
      'Cannot find weight "Conv2d_1a_3x3.weight": expected it in the record but received only an empty one',
  });
});
