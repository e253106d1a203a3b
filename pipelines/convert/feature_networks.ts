/**
 * The keys of the frozen networks that look at images: torchvision's VGG16 and pytorch-fid's
 * Inception.
 *
 * Source: the shapes of torchvision's `vgg16` and of pytorch-fid's `fid_inception_v3`.
 *
 * @module
 */
import type { HostArray, Weights } from "../../core/contracts.ts";
import { type Entry, type ForeignNetwork, weight } from "./entries.ts";
import { prefixesOf, shapeOf, type WeightTable } from "./weight_table.ts";

/** The convolutions of VGG16 by their index in torchvision's `features`. */
const vgg16Convolutions = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28];

/** VGG16's convolutions; their channels are the file's, the first takes RGB. */
export function vgg16Entries(table: WeightTable, prefix: string): Entry[] {
  let inChannels = 3;
  return vgg16Convolutions.flatMap((index) => {
    const [outChannels = 0] = shapeOf(table, `${prefix}${index}.weight`);
    const shape = [outChannels, inChannels, 3, 3];
    inChannels = outChannels;
    return [
      weight(`${index}.weight`, `features.${index}.weight`, shape, "conv"),
      weight(`${index}.bias`, `features.${index}.bias`, [outChannels], "vector"),
    ];
  });
}

/** Height, width, inputs and outputs of a convolution. */
type Conv = readonly [name: string, height: number, width: number, inputs: number, outputs: number];

const square = (name: string, size: number, inputs: number, outputs: number): Conv => [
  name,
  size,
  size,
  inputs,
  outputs,
];

function inceptionA(name: string, inputs: number, pool: number): Conv[] {
  return [
    square(`${name}.branch1x1`, 1, inputs, 64),
    square(`${name}.branch5x5_1`, 1, inputs, 48),
    square(`${name}.branch5x5_2`, 5, 48, 64),
    square(`${name}.branch3x3dbl_1`, 1, inputs, 64),
    square(`${name}.branch3x3dbl_2`, 3, 64, 96),
    square(`${name}.branch3x3dbl_3`, 3, 96, 96),
    square(`${name}.branch_pool`, 1, inputs, pool),
  ];
}

function inceptionC(name: string, inner: number): Conv[] {
  return [
    square(`${name}.branch1x1`, 1, 768, 192),
    square(`${name}.branch7x7_1`, 1, 768, inner),
    [`${name}.branch7x7_2`, 1, 7, inner, inner],
    [`${name}.branch7x7_3`, 7, 1, inner, 192],
    square(`${name}.branch7x7dbl_1`, 1, 768, inner),
    [`${name}.branch7x7dbl_2`, 7, 1, inner, inner],
    [`${name}.branch7x7dbl_3`, 1, 7, inner, inner],
    [`${name}.branch7x7dbl_4`, 7, 1, inner, inner],
    [`${name}.branch7x7dbl_5`, 1, 7, inner, 192],
    square(`${name}.branch_pool`, 1, 768, 192),
  ];
}

function inceptionE(name: string, inputs: number): Conv[] {
  return [
    square(`${name}.branch1x1`, 1, inputs, 320),
    square(`${name}.branch3x3_1`, 1, inputs, 384),
    [`${name}.branch3x3_2a`, 1, 3, 384, 384],
    [`${name}.branch3x3_2b`, 3, 1, 384, 384],
    square(`${name}.branch3x3dbl_1`, 1, inputs, 448),
    square(`${name}.branch3x3dbl_2`, 3, 448, 384),
    [`${name}.branch3x3dbl_3a`, 1, 3, 384, 384],
    [`${name}.branch3x3dbl_3b`, 3, 1, 384, 384],
    square(`${name}.branch_pool`, 1, inputs, 192),
  ];
}

/** Every convolution of Inception, in the order of the forward pass. */
const inceptionConvolutions: readonly Conv[] = [
  square("Conv2d_1a_3x3", 3, 3, 32),
  square("Conv2d_2a_3x3", 3, 32, 32),
  square("Conv2d_2b_3x3", 3, 32, 64),
  square("Conv2d_3b_1x1", 1, 64, 80),
  square("Conv2d_4a_3x3", 3, 80, 192),
  ...inceptionA("Mixed_5b", 192, 32),
  ...inceptionA("Mixed_5c", 256, 64),
  ...inceptionA("Mixed_5d", 288, 64),
  square("Mixed_6a.branch3x3", 3, 288, 384),
  square("Mixed_6a.branch3x3dbl_1", 1, 288, 64),
  square("Mixed_6a.branch3x3dbl_2", 3, 64, 96),
  square("Mixed_6a.branch3x3dbl_3", 3, 96, 96),
  ...inceptionC("Mixed_6b", 128),
  ...inceptionC("Mixed_6c", 160),
  ...inceptionC("Mixed_6d", 160),
  ...inceptionC("Mixed_6e", 192),
  square("Mixed_7a.branch3x3_1", 1, 768, 192),
  square("Mixed_7a.branch3x3_2", 3, 192, 320),
  square("Mixed_7a.branch7x7x3_1", 1, 768, 192),
  ["Mixed_7a.branch7x7x3_2", 1, 7, 192, 192],
  ["Mixed_7a.branch7x7x3_3", 7, 1, 192, 192],
  square("Mixed_7a.branch7x7x3_4", 3, 192, 192),
  ...inceptionE("Mixed_7b", 1280),
  ...inceptionE("Mixed_7c", 2048),
];

/** Inception as pytorch-fid keeps it, with 1008 classes. */
export function inceptionEntries(): Entry[] {
  const layers = inceptionConvolutions.flatMap(([name, height, width, inputs, outputs]) => [
    weight(`${name}.conv.weight`, `${name}.weight`, [outputs, inputs, height, width], "conv"),
    ...["weight", "bias", "running_mean", "running_var"].map((statistic) =>
      weight(`${name}.bn.${statistic}`, `${name}.bn.${statistic}`, [outputs], "vector")
    ),
  ]);
  return [
    ...layers,
    weight("fc.weight", "fc.weight", [1008, 2048], "linear"),
    weight("fc.bias", "fc.bias", [1008], "vector"),
  ];
}

const batchNormEpsilon = 1e-3; // torchvision's Inception

/**
 * Merges every batch normalisation, which is constant at inference, into the convolution before it:
 * `{name}.weight` HWIO and `{name}.bias`.
 */
export function mergeBatchNorms(weights: Weights): Weights {
  const merged: Record<string, HostArray> = {
    "fc.weight": weights["fc.weight"]!,
    "fc.bias": weights["fc.bias"]!,
  };
  for (const [name, , , , outputs] of inceptionConvolutions) {
    const statistic = (which: string) => weights[`${name}.bn.${which}`]!.data;
    const variance = statistic("running_var");
    const [gain, shift, mean] = [statistic("weight"), statistic("bias"), statistic("running_mean")];
    const factor = gain.map((value, i) => value / Math.sqrt(variance[i]! + batchNormEpsilon));
    const { shape, data } = weights[`${name}.weight`]!;
    merged[`${name}.weight`] = {
      shape,
      data: data.map((value, i) => value * factor[i % outputs]!), // outputs are the last axis
    };
    merged[`${name}.bias`] = {
      shape: [outputs],
      data: shift.map((value, i) => value - mean[i]! * factor[i]!),
    };
  }
  return merged;
}

/** torchvision's VGG16, or the copy of its `features` in the author's checkpoints. */
export function findVgg16(table: WeightTable): ForeignNetwork | undefined {
  const found = ["features.", "perceptual_loss.net.net."].flatMap((place) =>
    prefixesOf(table, [`${place}28.weight`, `${place}28.bias`]).map((prefix) => prefix + place)
  );
  const prefix = found[0];
  if (prefix === undefined) return undefined;
  return { what: "VGG16 of torchvision", prefix, entries: vgg16Entries(table, prefix) };
}

/** pytorch-fid's Inception. */
export function findInception(table: WeightTable): ForeignNetwork | undefined {
  const [prefix] = prefixesOf(
    table,
    ["conv.weight", "bn.weight", "bn.bias"].map((key) => `Mixed_7c.branch_pool.${key}`),
  );
  if (prefix === undefined) return undefined;
  return {
    what: "Inception of pytorch-fid",
    prefix,
    entries: inceptionEntries(),
    ignored: /\.bn\.num_batches_tracked$/,
  };
}
