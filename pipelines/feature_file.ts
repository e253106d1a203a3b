/**
 * Weights of frozen networks that look at images, as other codes or `deno task convert` wrote them.
 *
 * @module
 */
import type { Weights } from "../core/contracts.ts";
import { writeSafetensorsFile } from "../io/safetensors.ts";
import { convert } from "./convert.ts";
import type { ConvertedFeatures } from "./convert/converted.ts";
import { FEATURES } from "./convert/own.ts";
import type { SaveGeneratorOptions } from "./generator_file.ts";

/** Writes a converted feature network, all or nothing; what takes the other codes' file takes it too. */
export async function saveFeatures(
  path: string,
  { kind, weights }: Pick<ConvertedFeatures, "kind" | "weights">,
  { dtype = "F32", metadata = {} }: SaveGeneratorOptions = {},
): Promise<void> {
  await writeSafetensorsFile(path, weights, { dtype, metadata: { ...metadata, [FEATURES]: kind } });
}

/**
 * Reads the weights of a network, in our names and layouts.
 *
 * @throws {RangeError} If the file holds something else.
 */
export async function readFeatureWeights(
  path: string,
  kind: ConvertedFeatures["kind"],
): Promise<Weights> {
  return (await convert(path, { kind })).weights;
}
