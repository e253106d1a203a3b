import assert from "node:assert/strict";
import type * as tf from "@tensorflow/tfjs";
import { lift } from "../../core/flat.ts";
import { under } from "../../core/params.ts";
import { createEngine } from "../../engine/mod.ts";
import { vgg16Features } from "../../networks/features.ts";
import { convert } from "../../pipelines/convert.ts";
import type { Entry } from "../../pipelines/convert/entries.ts";
import { assertStage, formulaFile, referenceImage, stagesOf } from "./frozen_reference.ts";

/** torchvision's VGG16 in the order of its file: index in `features` and channels. */
const layers: readonly (readonly [index: number, channels: number])[] = [
  [0, 64],
  [2, 64],
  [5, 128],
  [7, 128],
  [10, 256],
  [12, 256],
  [14, 256],
  [17, 512],
  [19, 512],
  [21, 512],
  [24, 512],
  [26, 512],
  [28, 512],
];
const entries = layers.flatMap(([index, channels], i): Entry[] => [
  { from: `features.${index}.weight`, shape: [channels, layers[i - 1]?.[1] ?? 3, 3, 3] },
  { from: `features.${index}.bias`, shape: [channels] },
]);

Deno.test("vgg16Features() agree with PyTorch, from the file to the maps", async (t) => {
  const { weights, kind } = await convert(formulaFile(entries));
  assert.equal(kind, "vgg16");
  const engine = await createEngine();
  const run = engine.compile(
    ({ image }: { image: tf.Tensor }) => {
      const params = lift(under(weights, "features"));
      return vgg16Features(params, image as tf.Tensor4D, { inputPx: 96 });
    },
    { name: "vgg16" },
  );
  const maps = await run({ image: referenceImage() });
  const expected = Object.entries(stagesOf("vgg16"));
  assert.equal(maps.length, expected.length);
  for (const [i, [name, stage]] of expected.entries()) {
    await t.step(name, () => assertStage(maps[i]!, stage));
  }
  await engine.dispose();
});
