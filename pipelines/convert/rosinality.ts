/**
 * The keys of StyleGAN2 in rosinality/stylegan2-pytorch, and of the codes that grew from it.
 *
 * Source: the shapes of its state dicts; design notes in docs/.
 *
 * @module
 */
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
  maximumBlocks,
  maximumMappingLayers,
  sequence,
} from "./find.ts";
import { prefixesOf, shapeOf, type WeightTable } from "./weight_table.ts";

/** What a layer's entries need to know. */
export interface LayerDims {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly styleDim: number;
}

/** A styled 3x3 convolution. */
export function styledConvEntries(
  from: string,
  to: string,
  { inChannels, outChannels, styleDim }: LayerDims,
  { up = false }: { readonly up?: boolean } = {},
): Entry[] {
  const kernel = [1, outChannels, inChannels, 3, 3];
  return [
    weight(`${from}.conv.weight`, `${to}.weight`, kernel, up ? "turnedConv" : "conv"),
    ...linearEntries(`${from}.conv.modulation`, `${to}.style`, {
      inputs: styleDim,
      outputs: inChannels,
    }),
    weight(`${from}.noise.weight`, `${to}.noise_strength`, [1], "vector"),
    weight(`${from}.activate.bias`, `${to}.bias`, [outChannels], "vector"),
    ...(up ? [filterEntry(`${from}.conv.blur.kernel`, 4)] : []),
  ];
}

/** An RGB layer; all but the first one have the filter of the skip. */
export function rgbEntries(
  from: string,
  to: string,
  { channels, styleDim }: { readonly channels: number; readonly styleDim: number },
  { up = false }: { readonly up?: boolean } = {},
): Entry[] {
  return [
    weight(`${from}.conv.weight`, `${to}.weight`, [1, 3, channels, 1, 1], "conv"),
    ...linearEntries(`${from}.conv.modulation`, `${to}.style`, {
      inputs: styleDim,
      outputs: channels,
    }),
    weight(`${from}.bias`, `${to}.bias`, [1, 3, 1, 1], "vector"),
    ...(up ? [filterEntry(`${from}.upsample.kernel`, 4)] : []),
  ];
}

/** The names of the blocks of a generator, which its descendants changed. */
export interface GeneratorNames {
  /** The i-th fully connected layer of the mapping network; absent: it is another network. */
  readonly mapping?: (i: number) => string;
  readonly upConv: (block: number) => string;
  readonly conv: (block: number) => string;
  readonly rgb: (block: number) => string;
}

/** rosinality's own names. */
export const rosinalityNames: GeneratorNames = {
  mapping: (i) => `style.${i + 1}`,
  upConv: (block) => `convs.${2 * block}`,
  conv: (block) => `convs.${2 * block + 1}`,
  rgb: (block) => `to_rgbs.${block}`,
};

/** The mapping network. */
export function mappingEntries(
  name: (i: number) => string,
  { mappingLayers, styleDim }: { readonly mappingLayers: number; readonly styleDim: number },
): Entry[] {
  const dims = { inputs: styleDim, outputs: styleDim };
  return Array.from(
    { length: mappingLayers },
    (_, i) => linearEntries(name(i), `mapping.${i}`, dims),
  ).flat();
}

/** The synthesis network, with the fixed noise maps where files keep them. */
export function synthesisEntries(
  names: GeneratorNames,
  { channels, styleDim }: { readonly channels: readonly number[]; readonly styleDim: number },
): Entry[] {
  const [first = 0] = channels;
  const start = { inChannels: first, outChannels: first, styleDim };
  const blocks = channels.slice(1).flatMap((outChannels, block) => {
    const inChannels = channels[block]!;
    const to = `synthesis.${8 * 2 ** block}`;
    const own = { inChannels: outChannels, outChannels, styleDim };
    return [
      ...styledConvEntries(names.upConv(block), `${to}.conv0`, { ...own, inChannels }, {
        up: true,
      }),
      ...styledConvEntries(names.conv(block), `${to}.conv1`, own),
      ...rgbEntries(names.rgb(block), `${to}.rgb`, { channels: outChannels, styleDim }, {
        up: true,
      }),
    ];
  });
  return [
    weight("input.input", "synthesis.4.const", [1, first, 4, 4], "constant"),
    ...styledConvEntries("conv1", "synthesis.4.conv1", start),
    ...rgbEntries("to_rgb1", "synthesis.4.rgb", { channels: first, styleDim }),
    ...blocks,
  ];
}

/** The fixed noise maps `noises.noise_0`, ..., which files may leave out. */
export function noiseEntries(lastPx: number): Entry[] {
  return sizesTo(lastPx).flatMap((size) => size === 4 ? [size] : [size, size]).map((size, i) => ({
    ...weight(`noises.noise_${i}`, `noise.${i}`, [1, 1, size, size], "noise"),
    optional: true,
  }));
}

/** The residual discriminator; `channels` at 4, 8, ..., its size. */
export function discriminatorEntries(channels: readonly number[]): Entry[] {
  const sizePx = 2 ** (channels.length + 1);
  const [first = 0, last = 0] = [channels[0], channels.at(-1)];
  const conv = (from: string, to: string, shape: readonly number[]) =>
    weight(from, `discriminator.${to}`, shape, "conv");
  const bias = (from: string, to: string, size: number) =>
    weight(from, `discriminator.${to}`, [size], "vector");
  // convs.1 is the finest block.
  const blocks = channels.slice(1).map((_, i) => i + 1).reverse().flatMap((level, i) => {
    const from = `convs.${i + 1}`;
    const to = `${2 ** (level + 2)}`;
    const [own, below] = [channels[level]!, channels[level - 1]!];
    return [
      conv(`${from}.conv1.0.weight`, `${to}.conv0.weight`, [own, own, 3, 3]),
      bias(`${from}.conv1.1.bias`, `${to}.conv0.bias`, own),
      filterEntry(`${from}.conv2.0.kernel`),
      conv(`${from}.conv2.1.weight`, `${to}.conv1.weight`, [below, own, 3, 3]),
      bias(`${from}.conv2.2.bias`, `${to}.conv1.bias`, below),
      filterEntry(`${from}.skip.0.kernel`),
      conv(`${from}.skip.1.weight`, `${to}.skip.weight`, [below, own, 1, 1]),
    ];
  });
  return [
    conv("convs.0.0.weight", `${sizePx}.rgb.weight`, [last, 3, 1, 1]),
    bias("convs.0.1.bias", `${sizePx}.rgb.bias`, last),
    ...blocks,
    conv("final_conv.0.weight", "4.conv.weight", [first, first + 1, 3, 3]),
    bias("final_conv.1.bias", "4.conv.bias", first),
    weight(
      "final_linear.0.weight",
      "discriminator.4.fc.weight",
      [first, 16 * first],
      "flattened",
    ),
    bias("final_linear.0.bias", "4.fc.bias", first),
    weight("final_linear.1.weight", "discriminator.4.out.weight", [1, first], "linear"),
    bias("final_linear.1.bias", "4.out.bias", 1),
  ];
}

/** The sizes and entries of a synthesis network of such names. */
export function findStyleGan2(
  table: WeightTable,
  { prefix, names, blocks }: {
    readonly prefix: string;
    readonly names: GeneratorNames;
    readonly blocks: number;
  },
): { readonly styleDim: number; readonly channels: number[]; readonly entries: Entry[] } {
  const styleDim = shapeOf(table, `${prefix}conv1.conv.modulation.weight`)[1] ?? 0;
  const first = shapeOf(table, `${prefix}input.input`)[1] ?? 0;
  const kernels = sequence(blocks).map((block) => `${prefix}${names.conv(block)}.conv.weight`);
  const channels = channelsBy(table, first, kernels, 1);
  return { styleDim, channels, entries: synthesisEntries(names, { channels, styleDim }) };
}

/** rosinality's generator. */
export function findRosinality(table: WeightTable): FoundGenerator | undefined {
  const found = prefixesOf(table, ["style.1.weight", "style.1.bias", "to_rgbs.0.bias"]);
  const prefix = bestPrefix(found, generatorPrefixes);
  if (prefix === undefined) return undefined;
  const blocks = Math.ceil(
    countUp(table, prefix, ["convs.#.conv.weight", "convs.#.activate.bias"], 2 * maximumBlocks) / 2,
  );
  const mappingLayers =
    countUp(table, prefix, ["style.#.weight", "style.#.bias"], maximumMappingLayers + 1) - 1;
  const { styleDim, channels, entries } = findStyleGan2(table, {
    prefix,
    names: rosinalityNames,
    blocks,
  });
  const mapping = mappingEntries(rosinalityNames.mapping!, { mappingLayers, styleDim });
  const parent = prefix.replace(/[^.]+\.$/, "");
  return {
    source: "rosinality",
    sizes: { styleDim, mappingLayers, channels },
    networks: [{
      what: "generator of rosinality's StyleGAN2",
      prefix,
      entries: [...mapping, ...entries, ...noiseEntries(2 ** (channels.length + 1))],
      ...(prefix === "" ? { ignored: /^latent_avg$/ } : {}),
    }],
    meanKeys: [...new Set([`${prefix}latent_avg`, `${parent}latent_avg`, "latent_avg"])],
  };
}

/** rosinality's discriminator. */
export function findRosinalityDiscriminator(table: WeightTable): FoundDiscriminator | undefined {
  const found = prefixesOf(table, ["final_conv.0.weight", "final_conv.1.bias", "convs.0.1.bias"]);
  const prefix = bestPrefix(found, discriminatorPrefixes);
  if (prefix === undefined) return undefined;
  const blocks =
    countUp(table, prefix, ["convs.#.conv1.0.weight", "convs.#.conv1.1.bias"], maximumBlocks + 1) -
    1;
  const [first = 0] = shapeOf(table, `${prefix}final_conv.0.weight`);
  const kernels = sequence(blocks).map((i) => `${prefix}convs.${blocks - i}.conv1.0.weight`);
  const channels = channelsBy(table, first, kernels, 0);
  return {
    config: { sizePx: 2 ** (channels.length + 1), channels, stddevGroup: defaultStddevGroup },
    network: {
      what: "discriminator of rosinality's StyleGAN2",
      prefix,
      entries: discriminatorEntries(channels),
    },
  };
}
