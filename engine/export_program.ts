/**
 * Programs as ONNX files for other people's runtimes: names instead of numbers at the border, what
 * is constant computed, forms that every execution provider has.
 *
 * @module
 */
import { nodeRules } from "./kernels/mod.ts";
import { lower } from "./lowering.ts";
import { simplify } from "./passes/mod.ts";
import { precompute } from "./passes/precompute.ts";
import type { Program } from "./program.ts";

/** How {@linkcode exportProgram} writes. */
export interface ExportProgramOptions {
  /** Names of the inputs, in order. */
  readonly inputs: readonly string[];
  /** Names of the outputs, in order. */
  readonly outputs: readonly string[];
  /** Whether constants are stored in 16 bits; they are widened when the file is opened. */
  readonly half?: boolean;
  /** Texts to keep in the file. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A program as the bytes of an ONNX file. */
export function exportProgram(
  program: Program,
  { inputs, outputs, half = false, metadata = {} }: ExportProgramOptions,
): Uint8Array<ArrayBuffer> {
  const known = simplify(precompute(program));
  // What ONNX Runtime's WebGPU provider lacks is avoided; all others have what is left.
  const names = { inputs, outputs };
  return lower(known, "webgpu", nodeRules(), { names, half, forFile: true, metadata });
}
