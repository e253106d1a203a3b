/**
 * Named tensors as files, and plain bytes.
 *
 * @module
 */
import type { Weights } from "../core/contracts.ts";
import { writeFileAtomic } from "./atomic_write.ts";
import { readSafetensorsFile, writeSafetensorsFile } from "./safetensors.ts";

/** Reads the tensors of a safetensors file, as float32. */
export async function readTensors(path: string): Promise<Weights> {
  return (await readSafetensorsFile(path)).tensors;
}

/** Writes tensors as a safetensors file, all or nothing. */
export async function writeTensors(path: string, tensors: Weights): Promise<void> {
  await writeSafetensorsFile(path, tensors);
}

/** Writes a file, all or nothing. */
export async function writeBytes(path: string, bytes: Uint8Array): Promise<void> {
  await writeFileAtomic(path, [bytes]);
}
