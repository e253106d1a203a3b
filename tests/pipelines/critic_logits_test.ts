import assert from "node:assert/strict";
import { trace } from "../../engine/tracing.ts";
import type * as tf from "@tensorflow/tfjs";
import { initDiscriminator } from "../../networks/discriminator.ts";
import { criticLogits } from "../../pipelines/critic_logits.ts";
import { jittered } from "../tensors.ts";

const config = { sizePx: 16, channels: [8, 6, 4], stddevGroup: 4 };
const params = jittered(initDiscriminator(config, 1));

for (const [terms, passes] of [[1, 1], [2, 2]] as const) {
  Deno.test(`criticLogits() looks at both batches in ${passes} passes for ${terms} terms`, () => {
    const shape = [4, 16, 16, 3];
    const { ops } = trace("both", [shape, shape], ([a, b]) => {
      const { discriminateBoth } = criticLogits(params, config, terms);
      return [...discriminateBoth(a as tf.Tensor4D, b as tf.Tensor4D)];
    });
    const convolutions = ops.filter(({ kernel }) => kernel === "Conv2D").length;
    assert.equal(convolutions, passes * 8); // rgb, three in each of two blocks, the last one
  });
}
