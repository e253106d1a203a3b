/**
 * The keys of the student in bes-dev/MobileStyleGAN.pytorch.
 *
 * Source: the shapes of its state dicts.
 *
 * @module
 */
import { quote } from "../../io/describe.ts";
import { type Entry, filterEntry, type ForeignNetwork, linearEntries, weight } from "./entries.ts";
import {
  bestPrefix,
  channelsBy,
  countUp,
  type FoundGenerator,
  maximumBlocks,
  maximumMappingLayers,
  sequence,
} from "./find.ts";
import {
  findStyleGan2,
  type GeneratorNames,
  type LayerDims,
  mappingEntries,
} from "./rosinality.ts";
import { prefixesOf, shapeOf, type WeightTable } from "./weight_table.ts";

/** The author's names for the teacher's blocks; its mapping network is a file of its own. */
export const authorNames: GeneratorNames = {
  upConv: (block) => `layers.${block}.conv1`,
  conv: (block) => `layers.${block}.conv2`,
  rgb: (block) => `layers.${block}.to_rgb`,
};

const demodulation = "frozen"; // the author's buffer `style_inv`

function styleEntries(from: string, to: string, styleDim: number, channels: number): Entry[] {
  return linearEntries(from, `${to}.style`, { inputs: styleDim, outputs: channels });
}

/** What follows the kernel in every styled convolution. */
function commonEntries(
  from: string,
  { to, part }: { readonly to: string; readonly part: string },
  { inChannels, outChannels, styleDim }: LayerDims,
): Entry[] {
  return [
    weight(
      `${from}.conv.style_inv`,
      `${to}.${demodulation}.coefficients`,
      [1, 1, inChannels, 1, 1],
      "vector",
    ),
    ...styleEntries(`${from}.conv.modulation`, `${to}.${part}`, styleDim, inChannels),
    weight(`${from}.noise.weight`, `${to}.${part}.noise_strength`, [1], "vector"),
    weight(`${from}.bias`, `${to}.${part}.bias`, [1, outChannels, 1, 1], "vector"),
  ];
}

function separableEntries(from: string, to: string, dims: LayerDims): Entry[] {
  const { inChannels, outChannels } = dims;
  const part = "separable_modulated";
  return [
    weight(`${from}.conv.weight_dw`, `${to}.${part}.depthwise`, [inChannels, 1, 3, 3], "depthwise"),
    weight(
      `${from}.conv.weight_permute`,
      `${to}.${part}.pointwise`,
      [outChannels, inChannels, 1, 1],
      "conv",
    ),
    ...commonEntries(from, { to, part }, dims),
  ];
}

function headEntries(from: string, to: string, channels: number, styleDim: number): Entry[] {
  return [
    weight(`${from}.conv.weight`, `${to}.single.weight`, [12, channels, 1, 1], "conv"),
    ...styleEntries(`${from}.conv.modulation`, `${to}.single`, styleDim, channels),
    weight(`${from}.bias`, `${to}.single.bias`, [1, 12, 1, 1], "vector"),
  ];
}

/** The filters of the inverse Haar transform, which ours has built in. */
function haarEntries(from: string): Entry[] {
  const half = Math.SQRT1_2;
  const filter = (name: string, shape: readonly number[], second: number): Entry => ({
    from: `${from}.${name}`,
    shape,
    values: [half, second],
    optional: true,
  });
  return [
    filter("g0_col", [1, 1, 2, 1], half),
    filter("g1_col", [1, 1, 2, 1], -half),
    filter("g0_row", [1, 1, 1, 2], half),
    filter("g1_row", [1, 1, 1, 2], -half),
  ];
}

/** The student; `channels` at 4, 8, ..., half of its size. */
export function studentEntries(
  { channels, styleDim }: { readonly channels: readonly number[]; readonly styleDim: number },
): Entry[] {
  const [first = 0] = channels;
  const start = { inChannels: first, outChannels: first, styleDim };
  const blocks = channels.slice(1).flatMap((outChannels, block) => {
    const below = channels[block]!;
    const from = `layers.${block}`;
    const to = `synthesis.${8 * 2 ** block}`;
    return [
      ...styleEntries(`${from}.up.modulation`, `${to}.upscale.idwt`, styleDim, below),
      ...haarEntries(`${from}.up.idwt`),
      ...separableEntries(`${from}.conv1`, `${to}.conv1`, {
        inChannels: below / 4,
        outChannels,
        styleDim,
      }),
      ...separableEntries(`${from}.conv2`, `${to}.conv2`, {
        inChannels: outChannels,
        outChannels,
        styleDim,
      }),
      ...headEntries(`${from}.to_img`, `${to}.head`, outChannels, styleDim),
    ];
  });
  return [
    weight("input.input", "synthesis.4.const", [1, first, 4, 4], "constant"),
    weight("conv1.conv.weight", "synthesis.4.conv1.modulated.weight", [first, first, 3, 3], "conv"),
    ...commonEntries("conv1", { to: "synthesis.4.conv1", part: "modulated" }, start),
    ...headEntries("to_img1", "synthesis.4.head", first, styleDim),
    ...blocks,
    ...haarEntries("idwt"),
  ];
}

/** The author's mapping network, in a file of its own or beside the rest. */
function findAuthorMapping(
  table: WeightTable,
  styleDim: number,
): { readonly mappingLayers: number; readonly network: ForeignNetwork } {
  const found = prefixesOf(table, ["layers.1.weight", "layers.1.bias"]);
  const prefix = bestPrefix(found, ["mapping_net.", "ckpt.", ""]);
  if (prefix === undefined) {
    throw new RangeError(
      `Cannot convert ${
        quote(table.name)
      }: expected the mapping network of MobileStyleGAN.pytorch beside the rest but received none; give both of the author's files`,
    );
  }
  const mappingLayers =
    countUp(table, prefix, ["layers.#.weight", "layers.#.bias"], maximumMappingLayers + 1) - 1;
  const network = {
    what: "mapping network of MobileStyleGAN.pytorch",
    prefix,
    entries: mappingEntries((i) => `layers.${i + 1}`, {
      mappingLayers,
      styleDim,
    }),
    // The author's two files have the same prefix.
    ignored: /^(?!layers\.\d+\.(weight|bias)$)/,
  };
  return { mappingLayers, network };
}

/** The copy of the teacher in the author's files. */
export function findAuthorTeacher(table: WeightTable): FoundGenerator | undefined {
  const found = prefixesOf(table, ["layers.0.to_rgb.conv.weight", "layers.0.to_rgb.bias"]);
  const prefix = bestPrefix(found, ["synthesis_net.", "ckpt.", ""]);
  if (prefix === undefined) return undefined;
  const blocks = countUp(table, prefix, [
    "layers.#.conv2.conv.weight",
    "layers.#.conv2.activate.bias",
  ], maximumBlocks);
  const { styleDim, channels, entries } = findStyleGan2(table, {
    prefix,
    names: authorNames,
    blocks,
  });
  const { mappingLayers, network } = findAuthorMapping(table, styleDim);
  return {
    source: "mobilestylegan",
    sizes: { styleDim, mappingLayers, channels },
    networks: [network, {
      what: "teacher of MobileStyleGAN.pytorch",
      prefix,
      entries: [...entries, filterEntry("upsample.kernel", 4)],
      ignored: /^layers\.\d+\.(weight|bias)$/,
    }],
    meanKeys: prefixesOf(table, ["style_mean"]).map((place) => `${place}style_mean`),
  };
}

/** The student of the author's code. */
export function findStudent(table: WeightTable): FoundGenerator | undefined {
  const found = prefixesOf(
    table,
    ["1.conv.weight_dw", "1.conv.weight_permute"].map((key) => `layers.0.conv${key}`),
  );
  const prefix = bestPrefix(found, ["student.", ""]);
  if (prefix === undefined) return undefined;
  const styleDim = shapeOf(table, `${prefix}conv1.conv.modulation.weight`)[1] ?? 0;
  const [, first = 0] = shapeOf(table, `${prefix}input.input`);
  const blocks = countUp(
    table,
    prefix,
    ["layers.#.conv2.conv.weight_dw", "layers.#.conv2.bias"],
    maximumBlocks,
  );
  const kernels = sequence(blocks).map((i) => `${prefix}layers.${i}.conv2.conv.weight_permute`);
  const channels = channelsBy(table, first, kernels, 0);
  const { mappingLayers, network } = findAuthorMapping(table, styleDim);
  return {
    source: "mobilestylegan",
    sizes: { styleDim, mappingLayers, channels },
    networks: [network, {
      what: "student of MobileStyleGAN.pytorch",
      prefix,
      entries: studentEntries({ channels, styleDim }),
      ignored: /^device_info$|^layers\.\d+\.(weight|bias)$/,
    }],
    meanKeys: prefixesOf(table, ["style_mean"]).map((place) => `${place}style_mean`),
  };
}
