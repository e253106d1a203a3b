import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { z } from "zod";
import { defineLoss } from "../../core/define.ts";
import { writeSafetensorsFile } from "../../io/safetensors.ts";
import { parseConfig } from "../../pipelines/distill_config.ts";
import { type LossChoice, resolveTerms } from "../../pipelines/objective.ts";
import { readTrainingRecord, trainingMetadata } from "../../pipelines/training_record.ts";
import { createRegistry } from "../../registry.ts";

const seeing = defineLoss({
  name: "acme/seeing",
  summary: "features",
  source: "test",
  options: z.object({}),
  needs: { features: true },
  student: ({ scales, features }) => tf.mean(features(scales.at(-1)!.studentImage)[0]!),
});
const registry = createRegistry().use({ name: "acme", losses: [seeing] });
const base = { steps: 1, features: { name: "discriminator" } } as const;

Deno.test("trainingMetadata() tells which networks a training looked through", async () => {
  const path = await Deno.makeTempFile({ suffix: ".safetensors" });
  const recordOf = async (losses: readonly object[]) => {
    const config = parseConfig({ ...base, losses }, registry);
    const terms = resolveTerms(config.losses as LossChoice[], registry);
    const metadata = trainingMetadata(config, terms);
    await writeSafetensorsFile(path, {}, { metadata });
    return await readTrainingRecord(path);
  };
  try {
    assert.deepEqual(await recordOf([{ name: "pixel" }]), {});
    assert.deepEqual(await recordOf([{ name: "perceptual" }, { name: "adversarial" }]), {
      features: "discriminator",
      discriminator: "random",
    });
    assert.deepEqual(await recordOf([{ name: "pixel" }, { name: "perceptual", weight: 0 }]), {});
    assert.deepEqual(await recordOf([{ name: "acme/seeing" }]), { features: "discriminator" });
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("readTrainingRecord() knows nothing of other files", async () => {
  const path = await Deno.makeTempFile({ suffix: ".safetensors" });
  await writeSafetensorsFile(path, {});
  assert.equal(await readTrainingRecord(path), undefined);
  assert.equal(await readTrainingRecord("student.ckpt"), undefined);
  await Deno.remove(path);
});
