/**
 * Which networks a file holds, by the names of its tensors.
 *
 * @module
 */
import { isObject } from "../../io/pickle_values.ts";
import type { FoundDiscriminator, FoundGenerator } from "./find.ts";
import { findAuthorTeacher } from "./mobilestylegan.ts";
import { findNvlabs, findNvlabsDiscriminator } from "./nvlabs.ts";
import { findRosinality, findRosinalityDiscriminator } from "./rosinality.ts";
import type { WeightTable } from "./weight_table.ts";

/** A StyleGAN2 generator of any of the known codes. */
export function findTeacher(table: WeightTable): FoundGenerator | undefined {
  return findRosinality(table) ?? findNvlabs(table) ?? findAuthorTeacher(table);
}

/** A residual StyleGAN2 discriminator of any of the known codes. */
export function findDiscriminator(table: WeightTable): FoundDiscriminator | undefined {
  return findRosinalityDiscriminator(table) ?? findNvlabsDiscriminator(table);
}

/** Why a file of a known kind cannot be converted, as a remedy; undefined for the rest. */
export function refusalOf({ tensors, value }: WeightTable): string | undefined {
  const names = [...tensors.keys()];
  if (names.some((name) => /(^|\.)synthesis\.L0_/.test(name))) {
    return "a StyleGAN3 network of the alias-free kinds (T, R), which no StyleGAN2 can replace";
  }
  if (names.some((name) => /(^|\.)mapping\.embed\./.test(name))) {
    return "a class-conditional network; only unconditional ones are supported";
  }
  const networks: readonly unknown[] = Array.isArray(value) ? value : [];
  if (networks.some((item) => isObject(item) && item.name.startsWith("dnnlib.tflib"))) {
    return "a TensorFlow pickle; convert it with legacy.py of stylegan2-ada-pytorch first";
  }
  return undefined;
}
