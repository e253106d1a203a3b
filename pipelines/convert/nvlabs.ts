/**
 * The keys of StyleGAN2 in NVlabs' stylegan2-ada-pytorch, and of the same network in stylegan3.
 *
 * Source: the shapes of its state dicts.
 *
 * @module
 */
import { valueAt } from "../../io/torch_table.ts";
import { sizesTo } from "../../networks/config.ts";
import { type Entry, filterEntry, linearEntries, weight } from "./entries.ts";
import {
  bestPrefix,
  channelsBy,
  countUp,
  defaultStddevGroup,
  discriminatorPrefixes,
  type FoundDiscriminator,
  type FoundGenerator,
  generatorPrefixes,
  maximumMappingLayers,
  sequence,
} from "./find.ts";
import type { LayerDims } from "./rosinality.ts";
import { prefixesOf, shapeOf, type WeightTable } from "./weight_table.ts";

function convEntries(
  from: string,
  to: string,
  { inChannels, outChannels, styleDim }: LayerDims,
  { sizePx, index, up }: { readonly sizePx: number; readonly index: number; readonly up: boolean },
): Entry[] {
  const kernel = [outChannels, inChannels, 3, 3];
  const affine = { inputs: styleDim, outputs: inChannels };
  const noise = weight(`${from}.noise_const`, `noise.${index}`, [sizePx, sizePx], "noise");
  return [
    weight(`${from}.weight`, `${to}.weight`, kernel, up ? "turnedConv" : "conv"),
    weight(`${from}.bias`, `${to}.bias`, [outChannels], "vector"),
    weight(`${from}.noise_strength`, `${to}.noise_strength`, [], "vector"),
    ...linearEntries(`${from}.affine`, `${to}.style`, affine),
    { ...noise, optional: true },
    filterEntry(`${from}.resample_filter`),
  ];
}

function rgbEntries(from: string, to: string, channels: number, styleDim: number): Entry[] {
  return [
    weight(`${from}.weight`, `${to}.weight`, [3, channels, 1, 1], "conv"),
    weight(`${from}.bias`, `${to}.bias`, [3], "vector"),
    ...linearEntries(`${from}.affine`, `${to}.style`, { inputs: styleDim, outputs: channels }),
  ];
}

/** Mapping and synthesis network; `channels` at 4, 8, ..., its size. */
export function nvlabsGeneratorEntries(
  { channels, styleDim, mappingLayers }: {
    readonly channels: readonly number[];
    readonly styleDim: number;
    readonly mappingLayers: number;
  },
): Entry[] {
  const square = { inputs: styleDim, outputs: styleDim };
  const mapping = Array.from(
    { length: mappingLayers },
    (_, i) => linearEntries(`mapping.fc${i}`, `mapping.${i}`, square),
  ).flat();
  const blocks = channels.flatMap((outChannels, i) => {
    const sizePx = 4 * 2 ** i;
    const [from, to] = [`synthesis.b${sizePx}`, `synthesis.${sizePx}`];
    const own = { inChannels: outChannels, outChannels, styleDim };
    const upDims = { ...own, inChannels: channels[i - 1] ?? outChannels };
    const up = { sizePx, index: 2 * i - 1, up: true };
    const plain = { sizePx, index: 2 * i, up: false };
    return [
      i === 0
        ? [weight(`${from}.const`, `${to}.const`, [outChannels, 4, 4], "constant")]
        : convEntries(`${from}.conv0`, `${to}.conv0`, upDims, up),
      convEntries(`${from}.conv1`, `${to}.conv1`, own, plain),
      rgbEntries(`${from}.torgb`, `${to}.rgb`, outChannels, styleDim),
      [filterEntry(`${from}.resample_filter`)],
    ].flat();
  });
  const mean = weight("mapping.w_avg", "mapping.w_mean", [styleDim], "vector");
  return [...mapping, { ...mean, optional: true }, ...blocks];
}

/** The residual discriminator; `channels` at 4, 8, ..., its size. */
export function nvlabsDiscriminatorEntries(channels: readonly number[]): Entry[] {
  const sizes = sizesTo(2 ** (channels.length + 1));
  const conv = (from: string, to: string, shape: readonly [number, number, 1 | 3]): Entry[] => {
    const [outputs, inputs, size] = shape;
    return [
      weight(`${from}.weight`, `discriminator.${to}.weight`, [outputs, inputs, size, size], "conv"),
      weight(`${from}.bias`, `discriminator.${to}.bias`, [outputs], "vector"),
      filterEntry(`${from}.resample_filter`),
    ];
  };
  const blocks = sizes.slice(1).flatMap((size, i) => {
    const [own, below] = [channels[i + 1]!, channels[i]!];
    const [skip] = conv(`b${size}.skip`, `${size}.skip`, [below, own, 1]);
    return [
      ...conv(`b${size}.conv0`, `${size}.conv0`, [own, own, 3]),
      ...conv(`b${size}.conv1`, `${size}.conv1`, [below, own, 3]),
      skip!,
      filterEntry(`b${size}.skip.resample_filter`),
      filterEntry(`b${size}.resample_filter`),
    ];
  });
  const [first = 0, last = 0] = [channels[0], channels.at(-1)];
  const size = sizes.at(-1)!;
  return [
    ...conv(`b${size}.fromrgb`, `${size}.rgb`, [last, 3, 1]),
    ...blocks,
    ...conv("b4.conv", "4.conv", [first, first + 1, 3]),
    weight("b4.fc.weight", "discriminator.4.fc.weight", [first, 16 * first], "flattened"),
    weight("b4.fc.bias", "discriminator.4.fc.bias", [first], "vector"),
    ...linearEntries("b4.out", "discriminator.4.out", { inputs: first, outputs: 1 }),
  ];
}

/** NVlabs' generator. */
export function findNvlabs(table: WeightTable): FoundGenerator | undefined {
  const keys = ["const", "conv1.bias", "torgb.bias"].map((key) => `synthesis.b4.${key}`);
  const prefix = bestPrefix(prefixesOf(table, keys), generatorPrefixes);
  if (prefix === undefined) return undefined;
  const [first = 0] = shapeOf(table, `${prefix}synthesis.b4.const`);
  const largest =
    countUp(table, prefix, ["synthesis.b#.conv1.weight", "synthesis.b#.conv1.bias"], 2 ** 12) - 1;
  const blocks = Math.max(Math.floor(Math.log2(Math.max(largest, 4))) - 2, 0);
  const kernels = sequence(blocks).map((i) => `${prefix}synthesis.b${8 * 2 ** i}.conv1.weight`);
  const channels = channelsBy(table, first, kernels, 0);
  const styleDim = shapeOf(table, `${prefix}synthesis.b4.conv1.affine.weight`)[1] ?? 0;
  const mappingLayers = countUp(
    table,
    prefix,
    ["mapping.fc#.weight", "mapping.fc#.bias"],
    maximumMappingLayers,
  );
  const sizes = { styleDim, mappingLayers, channels };
  const network = {
    what: "generator of NVlabs' StyleGAN2",
    prefix,
    entries: nvlabsGeneratorEntries(sizes),
  };
  return {
    source: "nvlabs",
    sizes,
    networks: [network],
    meanKeys: [],
    ...clampOf(table, prefix, ["synthesis", "b4", "conv1"]),
  };
}

/** What stands below a network in a file of NVlabs' `persistence`. */
function valueBelow({ value }: WeightTable, prefix: string, path: readonly string[]): unknown {
  return valueAt(value, [...prefix.split(".").filter(Boolean), ...path]);
}

/** An attribute of a layer, by the names of the modules that lead to it. */
function attributeOf(
  table: WeightTable,
  prefix: string,
  [modules, name]: readonly [modules: readonly string[], name: string],
): unknown {
  return valueBelow(table, prefix, [...modules.flatMap((module) => ["_modules", module]), name]);
}

/**
 * Networks that may run in 16-bit floats clamp their features, in 32 bits too. A layer knows its
 * clamp also where it is the default of the code, as in stylegan3.
 */
function clampOf(
  table: WeightTable,
  prefix: string,
  layer: readonly string[],
): { readonly convClamp?: number } {
  const clamp = attributeOf(table, prefix, [layer, "conv_clamp"]);
  return typeof clamp === "number" ? { convClamp: clamp } : {};
}

/** The layer that says how many images share a standard deviation. */
function stddevGroupOf(table: WeightTable, prefix: string): number {
  const group = attributeOf(table, prefix, [["b4", "mbstd"], "group_size"]);
  return typeof group === "number" && group >= 1 ? group : defaultStddevGroup;
}

/** NVlabs' discriminator. */
export function findNvlabsDiscriminator(table: WeightTable): FoundDiscriminator | undefined {
  const keys = ["b4.out.weight", "b4.out.bias", "b4.fc.bias"];
  const prefix = bestPrefix(prefixesOf(table, keys), discriminatorPrefixes);
  if (prefix === undefined) return undefined;
  const largest = countUp(table, prefix, ["b#.conv0.weight", "b#.conv0.bias"], 2 ** 12) - 1;
  const blocks = Math.max(Math.floor(Math.log2(Math.max(largest, 4))) - 2, 0);
  const [first = 0] = shapeOf(table, `${prefix}b4.conv.weight`);
  const kernels = sequence(blocks).map((i) => `${prefix}b${8 * 2 ** i}.conv0.weight`);
  const channels = channelsBy(table, first, kernels, 0);
  const sizePx = 2 ** (channels.length + 1);
  return {
    config: {
      sizePx,
      channels,
      stddevGroup: stddevGroupOf(table, prefix),
      ...clampOf(table, prefix, ["b4", "conv"]),
    },
    network: {
      what: "discriminator of NVlabs' StyleGAN2",
      prefix,
      entries: nvlabsDiscriminatorEntries(channels),
    },
  };
}
