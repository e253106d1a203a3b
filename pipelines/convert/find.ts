/**
 * Finding networks in a table of tensors: where their keys start, and how many there are.
 *
 * @module
 */
import type { DiscriminatorConfig } from "../../networks/config.ts";
import type { ForeignNetwork } from "./entries.ts";
import { shapeOf, type WeightTable } from "./weight_table.ts";

/** Sizes of a generator as the shapes tell them; a student's channels end at half its size. */
export interface FoundSizes {
  readonly styleDim: number;
  readonly mappingLayers: number;
  readonly channels: readonly number[];
}

/** A generator that was found, in one or two parts of a file. */
export interface FoundGenerator {
  readonly source: "rosinality" | "nvlabs" | "mobilestylegan";
  readonly sizes: FoundSizes;
  readonly networks: readonly ForeignNetwork[];
  /** Where the file may keep the average style, if it is not among the network's own keys. */
  readonly meanKeys: readonly string[];
  /** Largest magnitude of a convolution's output, if the file says one. */
  readonly convClamp?: number;
}

/** A discriminator that was found. */
export interface FoundDiscriminator {
  readonly config: DiscriminatorConfig;
  readonly network: ForeignNetwork;
}

/** Blocks beyond 4 px that are looked at; the configuration's check allows fewer. */
export const maximumBlocks = 12;
/** Layers of a mapping network that are looked at. */
export const maximumMappingLayers = 64;

/** The networks that people mean, best first; averaged weights make better images. */
export const generatorPrefixes = ["g_ema.", "G_ema.", "params_ema.", "", "g.", "G.", "generator."];
/** The same for discriminators. */
export const discriminatorPrefixes = ["d.", "D.", "loss.gan_loss.m.", "", "discriminator."];

/** The first preferred prefix that was found, else the first found. */
export function bestPrefix(
  prefixes: readonly string[],
  preferred: readonly string[],
): string | undefined {
  for (const name of preferred) {
    const found = prefixes.find((prefix) =>
      prefix === name || (name !== "" && prefix.endsWith(`.${name}`))
    );
    if (found !== undefined) return found;
  }
  return prefixes[0];
}

/** One more than the largest number that stands for `#` in a key of those patterns. */
export function countUp(
  table: WeightTable,
  prefix: string,
  patterns: readonly string[],
  maximum: number,
): number {
  let count = 0;
  for (const pattern of patterns) {
    const [before = "", after = ""] = pattern.split("#");
    const start = prefix + before;
    for (const name of table.tensors.keys()) {
      if (!name.startsWith(start) || !name.endsWith(after)) continue;
      const index = name.slice(start.length, name.length - after.length);
      if (/^\d{1,4}$/.test(index)) count = Math.max(count, Number(index) + 1);
    }
  }
  return Math.min(count, maximum);
}

/** Channels of the first axis that matters of each block's kernel; 0 where it is missing. */
export function channelsBy(
  table: WeightTable,
  first: number,
  names: readonly string[],
  axis: number,
): number[] {
  return [first, ...names.map((name) => shapeOf(table, name)[axis] ?? 0)];
}

/** 0, 1, ..., length - 1. */
export function sequence(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

/** Images that share a standard deviation where a file does not say it. */
export const defaultStddevGroup = 4;
