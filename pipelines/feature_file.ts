/**
 * Weights of frozen networks that look at images, as other codes or `deno task convert` wrote them.
 *
 * @module
 */
import type { Weights } from "../core/contracts.ts";
import { inspectSafetensorsFile, readSafetensorsFile } from "../io/safetensors.ts";
import { convert } from "./convert.ts";
import type { ConvertedFeatures } from "./convert/converted.ts";

/** Written by `deno task convert`: our layouts under the same names, which nothing else would tell. */
const KIND = "haarlem.features";

/**
 * Reads the weights of a network, in our names and layouts.
 *
 * @throws {RangeError} If the file holds something else.
 */
export async function readFeatureWeights(
  path: string,
  kind: ConvertedFeatures["kind"],
): Promise<Weights> {
  const isOurs = path.endsWith(".safetensors") &&
    (await inspectSafetensorsFile(path)).metadata[KIND] === kind;
  return isOurs
    ? (await readSafetensorsFile(path)).tensors
    : (await convert(path, { kind })).weights;
}
