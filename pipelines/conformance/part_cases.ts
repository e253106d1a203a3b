import type {
  AnyConv,
  AnyDemodulation,
  AnyHead,
  AnyUpscale,
  Demodulate,
  Params,
  Weights,
} from "../../core/contracts.ts";
import { createRandom } from "../../core/random.ts";
import { styledDemodulation } from "../../layers/demodulation/styled.ts";
import { trainableDemodulation } from "../../layers/demodulation/trainable.ts";
import { type Case, dims, normal } from "./case.ts";

const { images, sizePx, channels, outChannels, styleDim } = dims;

const features = () => normal("x", [images, sizePx, sizePx, channels]);
const style = () => normal("style", [images, styleDim]);

/** The weights of a part for conformance, always the same. */
export function initialWeights(
  part: AnyUpscale | AnyConv | AnyDemodulation | AnyHead,
  options: unknown,
): Weights {
  const random = createRandom(1, `conformance ${part.name}`);
  switch (part.kind) {
    case "upscale":
    case "head":
      return part.init({ channels, styleDim }, random, options);
    case "conv":
      return part.init({ inChannels: channels, outChannels, styleDim }, random, options);
    case "demodulation":
      return part.init({ inChannels: channels }, random, options);
  }
}

/** The cases of an upsampling part. */
export function upscaleCases(part: AnyUpscale, options: unknown, common: Common): Case[] {
  const size = 2 * sizePx;
  return [{
    ...common,
    title: "",
    inputs: { x: features(), style: style() },
    through: ["x"],
    perImage: ["x", "style"],
    shapes: [[images, size, size, part.outChannels(channels, options)]],
    apply: (params, { x, style }) => part.apply(params, { x: x!, style: style! }, options),
  }];
}

/** The cases of a head: the coarsest scale, and one above another. */
export function headCases(part: AnyHead, options: unknown, common: Common): Case[] {
  const coarsest: Case = {
    ...common,
    title: "coarsest scale",
    inputs: { x: features(), style: style() },
    through: ["x"],
    perImage: ["x", "style"],
    shapes: [[images, sizePx, sizePx, 12]],
    apply: (params, { x, style, previous }) =>
      part.apply(params, { x: x!, style: style!, previous }, options),
  };
  if (!part.usesPrevious) return [{ ...coarsest, title: "" }];
  const previous = normal("previous", [images, sizePx / 2, sizePx / 2, 12]);
  return [coarsest, {
    ...coarsest,
    title: "above another scale",
    inputs: { ...coarsest.inputs, previous },
    through: ["x", "previous"],
    perImage: ["x", "style", "previous"],
  }];
}

/** The cases of a demodulation. The kernel's energy is positive, as sums of squares are. */
export function demodulationCases(
  part: AnyDemodulation,
  options: unknown,
  common: Common,
): Case[] {
  const { shape, data } = normal("energy", [channels, outChannels]);
  const energy = { shape, data: data.map((x) => x * x) };
  const inputs = { energy, modulation: normal("modulation", [images, channels]) };
  return [{
    ...common,
    title: "",
    inputs,
    through: ["energy"],
    perImage: ["modulation"],
    shapes: [[1, outChannels], [images, outChannels]],
    apply: (params, { energy, modulation }) =>
      part.apply(params, { energy: energy!, modulation: modulation! }, options),
  }];
}

const constantDemodulation = (inputs: Params): Demodulate => (kernel) =>
  trainableDemodulation.apply({ coefficients: inputs["coefficients"]! }, kernel, {});
const demodulations: Readonly<Record<string, (inputs: Params) => Demodulate | undefined>> = {
  constant: constantDemodulation,
  styled: () => (kernel) => styledDemodulation.apply({}, kernel, {}),
  no: () => undefined,
};

/** The cases of a convolution: every demodulation, noise for the batch or per image, fused. */
export function convCases(part: AnyConv, options: unknown, common: Common): Case[] {
  const cases = Object.entries(demodulations).map(([name, demodulationOf]): Case => {
    const noiseImages = name === "styled" ? images : 1;
    const noise = normal("noise", [noiseImages, sizePx, sizePx, 1]);
    const inputs = { x: features(), style: style(), noise };
    const coefficients = normal("coefficients", [channels]);
    return {
      ...common,
      title: `${name} demodulation, noise ${noiseImages === 1 ? "of the batch" : "per image"}`,
      inputs: name === "constant" ? { ...inputs, coefficients } : inputs,
      through: ["x"],
      perImage: noiseImages === 1 ? ["x", "style"] : ["x", "style", "noise"],
      shapes: [[images, sizePx, sizePx, outChannels]],
      apply: (params, inputs) => part.apply(params, convInputs(inputs, demodulationOf), options),
    };
  });
  const constant = cases[0]!;
  if (!part.fuse) return cases;
  return [...cases, {
    ...constant,
    title: "fused",
    sameAs: constant,
    apply(params, inputs) {
      const fused = part.fuse!(params, { demodulation: constantDemodulation(inputs) }, options);
      return part.apply(fused, convInputs(inputs, demodulations["no"]!), options);
    },
  }];
}

function convInputs(
  inputs: Params,
  demodulationOf: (inputs: Params) => Demodulate | undefined,
): Parameters<AnyConv["apply"]>[1] {
  const { x, style, noise } = inputs;
  return { x: x!, style: style!, noise: noise!, demodulation: demodulationOf(inputs) };
}

/** What all cases of a part share. */
export interface Common {
  readonly weights: Weights;
  readonly trained: readonly string[];
  readonly everyWeight: true;
}
