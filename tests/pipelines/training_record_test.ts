import assert from "node:assert/strict";
import { writeSafetensorsFile } from "../../io/safetensors.ts";
import { parseConfig } from "../../pipelines/distill_config.ts";
import { readTrainingRecord, trainingMetadata } from "../../pipelines/training_record.ts";
import { createRegistry } from "../../registry.ts";

const registry = createRegistry();
const base = { steps: 1, features: { name: "discriminator" } } as const;

Deno.test("trainingMetadata() tells which networks a training looked through", async () => {
  const path = await Deno.makeTempFile({ suffix: ".safetensors" });
  const recordOf = async (losses: readonly object[]) => {
    const metadata = trainingMetadata(parseConfig({ ...base, losses }, registry));
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
