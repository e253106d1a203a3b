import assert from "node:assert/strict";
import type * as tf from "@tensorflow/tfjs";
import type { Demodulate, Params } from "../../../core/contracts.ts";
import { frozenDemodulation } from "../../../layers/demodulation/frozen.ts";
import { modulatedConv } from "../../../layers/conv/modulated.ts";
import { leakyRelu } from "../../../layers/activation.ts";
import {
  assertClose,
  golden,
  hwio,
  nhwc,
  reshaped,
  squeezed,
  tensor,
  tidy,
  transposed,
} from "../../golden.ts";

const x = () => tensor<tf.Rank.R4>(nhwc(golden("layers/x")));
const style = () => tensor<tf.Rank.R2>(golden("layers/style"));
const noise = () => tensor<tf.Rank.R4>(nhwc(golden("layers/noise")));

/** The part's weights from those of the author's layer; noise and bias off where it has none. */
function paramsOf(layer: string, conv: string, isWhole: boolean): Params {
  const bias = isWhole ? squeezed(golden(`${layer}/bias`)) : reshaped(zeros(10), [10]);
  return {
    weight: tensor(hwio(golden(`${conv}weight`))),
    bias: tensor(bias),
    noise_strength: tensor(isWhole ? golden(`${layer}/noise.weight`) : zeros(1)),
    "style.weight": tensor(transposed(golden(`${conv}modulation.weight`))),
    "style.bias": tensor(golden(`${conv}modulation.bias`)),
  };
}
const zeros = (size: number) => ({ shape: [size], data: new Float32Array(size) });

function frozen(conv: string): Demodulate {
  const coefficients = tensor(squeezed(golden(`${conv}style_inv`)));
  return (inputs) => frozenDemodulation.apply({ coefficients }, inputs, {});
}

Deno.test("modulatedConv equals the author's styled convolution", () =>
  tidy(() => {
    const conv = "layers/styled_dense/conv.";
    const params = paramsOf("layers/styled_dense", conv, true);
    const inputs = { x: x(), style: style(), noise: noise(), demodulation: frozen(conv) };
    const y = modulatedConv.apply(params as never, inputs, {});
    assertClose(y, nhwc(golden("layers/styled_dense/y")));
  }));

for (
  const [layer, demodulated] of [["layers/dense", true], ["layers/dense_nodemod", false]] as const
) {
  Deno.test(`modulatedConv equals the author's convolution of ${layer}`, () =>
    tidy(() => {
      const params = paramsOf(layer, `${layer}/`, false);
      const demodulation = demodulated ? frozen(`${layer}/`) : undefined;
      const inputs = { x: x(), style: style(), noise: noise(), demodulation };
      const y = modulatedConv.apply(params as never, inputs, {});
      const expected = tensor(nhwc(golden(`${layer}/y`)));
      assertClose(y, {
        shape: expected.shape,
        data: leakyRelu(expected).dataSync<"float32">(),
      });
    }));
}

Deno.test("modulatedConv.fuse() gives weights that need no demodulation", () =>
  tidy(() => {
    const conv = "layers/styled_dense/conv.";
    const params = paramsOf("layers/styled_dense", conv, true) as never;
    const fused = modulatedConv.fuse!(params, { demodulation: frozen(conv) }, {});
    const y = modulatedConv.apply(fused, { x: x(), style: style(), noise: noise() }, {});
    assertClose(y, nhwc(golden("layers/styled_dense/y")));
  }));

Deno.test("modulatedConv.multiplyAdds() counts nine per pair of channels and pixel", () => {
  const dims = { inChannels: 3, outChannels: 5, styleDim: 7, sizePx: 8 };
  assert.deepEqual(modulatedConv.multiplyAdds!(dims, {}), { convolution: 8640, style: 21 });
});
