import assert from "node:assert/strict";
import type * as tf from "@tensorflow/tfjs";
import type { Demodulate, Params } from "../../../core/contracts.ts";
import { frozenDemodulation } from "../../../layers/demodulation/frozen.ts";
import { separableModulatedConv } from "../../../layers/conv/separable_modulated.ts";
import { leakyRelu } from "../../../layers/activation.ts";
import {
  assertClose,
  golden,
  hwio,
  nhwc,
  permuted,
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
    depthwise: tensor(permuted(golden(`${conv}weight_dw`), [2, 3, 0, 1])),
    pointwise: tensor(hwio(golden(`${conv}weight_permute`))),
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

Deno.test("separableModulatedConv equals the author's styled convolution", () =>
  tidy(() => {
    const conv = "layers/styled_dw/conv.";
    const params = paramsOf("layers/styled_dw", conv, true);
    const inputs = { x: x(), style: style(), noise: noise(), demodulation: frozen(conv) };
    const y = separableModulatedConv.apply(params as never, inputs, {});
    assertClose(y, nhwc(golden("layers/styled_dw/y")));
  }));

Deno.test("separableModulatedConv equals the author's convolution without noise and bias", () =>
  tidy(() => {
    const params = paramsOf("layers/dw", "layers/dw/", false);
    const demodulation = frozen("layers/dw/");
    const inputs = { x: x(), style: style(), noise: noise(), demodulation };
    const y = separableModulatedConv.apply(params as never, inputs, {});
    const expected = tensor(nhwc(golden("layers/dw/y")));
    const data = leakyRelu(expected).dataSync<"float32">();
    assertClose(y, { shape: expected.shape, data });
  }));

Deno.test("separableModulatedConv without demodulation keeps the scale 1 / sqrt(9 Cin)", () =>
  tidy(() => {
    const params = paramsOf("layers/dw", "layers/dw/", false);
    const inputs = { x: x(), style: style(), noise: noise() };
    const y = separableModulatedConv.apply(params as never, inputs, {});
    // The author's output with its factors, which are positive, taken back.
    const factors = golden("layers/dw/demodulation_vec").data;
    const expected = leakyRelu(tensor(nhwc(golden("layers/dw/y")))).dataSync<"float32">();
    assertClose(y, { shape: y.shape, data: expected.map((value, i) => value / factors[i % 10]!) });
  }));

Deno.test("separableModulatedConv.fuse() gives weights that need no demodulation", () =>
  tidy(() => {
    const conv = "layers/styled_dw/conv.";
    const params = paramsOf("layers/styled_dw", conv, true) as never;
    const fused = separableModulatedConv.fuse!(params, { demodulation: frozen(conv) }, {});
    const y = separableModulatedConv.apply(fused, { x: x(), style: style(), noise: noise() }, {});
    assertClose(y, nhwc(golden("layers/styled_dw/y")));
  }));

Deno.test("separableModulatedConv.multiplyAdds() counts both convolutions", () => {
  const dims = { inChannels: 3, outChannels: 5, styleDim: 7, sizePx: 8 };
  assert.deepEqual(separableModulatedConv.multiplyAdds!(dims, {}), {
    convolution: 2688,
    style: 21,
  });
});
