import assert from "node:assert/strict";
import type * as tf from "@tensorflow/tfjs";
import { createRandom } from "../../../core/random.ts";
import { singleHead } from "../../../layers/head/single.ts";
import {
  assertClose,
  golden,
  hwio,
  nhwc,
  squeezed,
  tensor,
  tidy,
  transposed,
} from "../../golden.ts";

Deno.test("singleHead equals the author's head", () =>
  tidy(() => {
    const params = {
      weight: tensor(hwio(golden("layers/head/conv.weight"))),
      bias: tensor(squeezed(golden("layers/head/bias"))),
      "style.weight": tensor(transposed(golden("layers/head/conv.modulation.weight"))),
      "style.bias": tensor(golden("layers/head/conv.modulation.bias")),
    };
    const inputs = {
      x: tensor<tf.Rank.R4>(nhwc(golden("layers/x"))),
      style: tensor<tf.Rank.R2>(golden("layers/style")),
    };
    assertClose(singleHead.apply(params, inputs, { gain: 1 }), nhwc(golden("layers/head/y")));
  }));

Deno.test("singleHead.init() multiplies the kernel by the gain, and nothing else", () => {
  const dims = { channels: 16, styleDim: 4 };
  const full = singleHead.init(dims, createRandom(1, "head"), { gain: 1 });
  const small = singleHead.init(dims, createRandom(1, "head"), { gain: 0.5 });
  assert.deepEqual(small.weight.data, full.weight.data.map((x) => x / 2));
  assert.deepEqual(small["style.weight"], full["style.weight"]);
  assert.deepEqual([...full.bias.data], Array(12).fill(0));
  assert.deepEqual([...full["style.bias"].data], Array(16).fill(1));
  const bound = 1 / Math.sqrt(4);
  assert.ok(full["style.weight"].data.every((x) => Math.abs(x) <= bound));
  assert.ok(full["style.weight"].data.some((x) => Math.abs(x) > 0.9 * bound));
});
