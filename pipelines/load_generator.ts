/**
 * Loads generators from wherever they are.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { PartSource } from "../core/contracts.ts";
import type { Generator } from "../networks/generator.ts";
import { readGenerator } from "./generator_file.ts";

/** Loads a generator from a path or a `file:` URL. */
export async function loadGenerator(
  source: string | URL,
  { registry }: { readonly registry: PartSource },
): Promise<Generator> {
  const text = String(source);
  return await readGenerator(text.startsWith("file:") ? fileURLToPath(text) : text, { registry });
}
