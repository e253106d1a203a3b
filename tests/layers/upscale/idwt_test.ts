import assert from "node:assert/strict";
import type * as tf from "@tensorflow/tfjs";
import { idwtUpscale } from "../../../layers/upscale/idwt.ts";
import { assertClose, golden, nhwc, tensor, tidy, transposed } from "../../golden.ts";

Deno.test("idwtUpscale equals the author's upsampling", () =>
  tidy(() => {
    const params = {
      "style.weight": tensor(transposed(golden("layers/up/modulation.weight"))),
      "style.bias": tensor(golden("layers/up/modulation.bias")),
    };
    const inputs = {
      x: tensor<tf.Rank.R4>(nhwc(golden("layers/x"))),
      style: tensor<tf.Rank.R2>(golden("layers/style")),
    };
    assertClose(idwtUpscale.apply(params, inputs, {}), nhwc(golden("layers/up/y")));
  }));

Deno.test("idwtUpscale.outChannels() is a quarter", () => {
  assert.equal(idwtUpscale.outChannels(512, {}), 128);
  assert.throws(() => idwtUpscale.outChannels(6, {}), {
    name: "RangeError",
    message: 'Cannot use upscale "idwt": expected channels that are a multiple of 4 but received 6',
  });
});
