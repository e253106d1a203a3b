import assert from "node:assert/strict";
import type * as tf from "@tensorflow/tfjs";
import { upfirdnMatrix } from "../../core/axis_matrix.ts";
import type { Demodulate, HostArray, Params } from "../../core/contracts.ts";
import { toBytes } from "../../core/pixels.ts";
import { separableModulatedConv } from "../../layers/conv/separable_modulated.ts";
import { modulatedConv } from "../../layers/conv/modulated.ts";
import { frozenDemodulation } from "../../layers/demodulation/frozen.ts";
import { haar, inverseHaar } from "../../layers/haar.ts";
import { singleHead } from "../../layers/head/single.ts";
import { resample } from "../../layers/resample.ts";
import { idwtUpscale } from "../../layers/upscale/idwt.ts";
import { type Layout, layouts } from "../../pipelines/convert/layouts.ts";
import { assertClose, golden, nhwc } from "../golden.ts";
import { first, parityTest } from "./reference.ts";

parityTest("Haar transform and its inverse", async (run) => {
  const forward = await run((x: tf.Tensor4D) => haar(x), nhwc(golden("haar/dwt_input")));
  assertClose(forward, nhwc(golden("haar/dwt_output")));
  const inverse = (x: tf.Tensor4D) => inverseHaar(x);
  assertClose(
    await run(inverse, nhwc(golden("haar/idwt_input"))),
    nhwc(golden("haar/idwt_output")),
  );
  assertClose(await run(inverse, forward), nhwc(golden("haar/dwt_idwt_roundtrip")));
});

const filters = ["blur_pad22", "blur_pad11_gain4", "blur_pad21", "up2_skip", "down2"];

parityTest("StyleGAN2's filter in every use", async (run) => {
  for (const name of filters) {
    const [upX, upY, downX, downY, x0, x1, y0, y1, gain] = golden(`upfirdn2d/${name}/params`).data;
    const taps = [1 / 8, 3 / 8, 3 / 8, 1 / 8];
    const filter = (x: tf.Tensor4D) => {
      const [, height, width] = x.shape;
      const perAxis = { taps, gain: Math.sqrt(gain!) };
      return resample(
        x,
        upfirdnMatrix(height, { ...perAxis, up: upY!, down: downY!, pad: [y0!, y1!] }),
        upfirdnMatrix(width, { ...perAxis, up: upX!, down: downX!, pad: [x0!, x1!] }),
      );
    };
    const actual = await run(filter, nhwc(golden("upfirdn2d/x")));
    assertClose(actual, nhwc(golden(`upfirdn2d/${name}/y`)));
  }
});

interface Inputs {
  readonly params: Params;
  readonly x: tf.Tensor4D;
  readonly style: tf.Tensor2D;
  readonly noise: tf.Tensor4D;
}

/** The author's isolated layers: our part, and where its weights are. */
const layers: Record<string, {
  weights: Record<string, readonly [key: string, layout: Layout]>;
  apply: (inputs: Inputs) => tf.Tensor4D;
}> = {
  styled_dense: {
    weights: { weight: ["conv.weight", "conv"] },
    apply: ({ params, ...inputs }) =>
      modulatedConv.apply(params as never, { ...inputs, demodulation: frozen(params) }, {}),
  },
  styled_dw: {
    weights: {
      depthwise: ["conv.weight_dw", "depthwise"],
      pointwise: ["conv.weight_permute", "conv"],
    },
    apply: ({ params, ...inputs }) =>
      separableModulatedConv.apply(
        params as never,
        { ...inputs, demodulation: frozen(params) },
        {},
      ),
  },
  head: {
    weights: { weight: ["conv.weight", "conv"] },
    apply: ({ params, ...inputs }) => singleHead.apply(params as never, inputs, { gain: 1 }),
  },
  up: {
    weights: {},
    apply: ({ params, ...inputs }) => idwtUpscale.apply(params as never, inputs, {}),
  },
};

function frozen({ coefficients }: Params): Demodulate {
  return (inputs) => frozenDemodulation.apply({ coefficients } as never, inputs, {});
}

for (const [layer, { weights, apply }] of Object.entries(layers)) {
  const conv = layer === "up" ? "" : "conv.";
  const isStyled = layer.startsWith("styled");
  const keys: Record<string, readonly [string, Layout]> = {
    ...weights,
    "style.weight": [`${conv}modulation.weight`, "linear"],
    "style.bias": [`${conv}modulation.bias`, "vector"],
    ...(layer === "up" ? {} : { bias: ["bias", "vector"] }),
    ...(isStyled
      ? {
        "noise_strength": ["noise.weight", "vector"],
        coefficients: ["conv.style_inv", "vector"],
      }
      : {}),
  };
  const params = Object.fromEntries(
    Object.entries(keys).map(([name, [key, layout]]): [string, HostArray] => [
      name,
      layouts[layout](golden(`layers/${layer}/${key}`)),
    ]),
  );
  parityTest(`the author's layer "${layer}"`, async (run) => {
    const inputs = {
      params,
      x: nhwc(golden("layers/x")),
      style: golden("layers/style"),
      noise: nhwc(golden("layers/noise")),
    };
    assertClose(await run(apply, inputs), nhwc(golden(`layers/${layer}/y`)));
  });
}

Deno.test("toBytes() gives NVlabs' bytes of an image", () => {
  const image = first(nhwc(golden("ada/image")), 1);
  assert.deepEqual([...toBytes(image.data)], [...golden("ada/image_u8").data]);
});
