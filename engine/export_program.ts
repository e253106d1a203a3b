/**
 * Programs as ONNX files for other people's runtimes: names instead of numbers at the border, what
 * is constant computed, forms that every execution provider has.
 *
 * @module
 */
import { nodeRules } from "./kernels/mod.ts";
import { lower } from "./lowering.ts";
import type { ModelFile } from "./onnx_model.ts";
import { earlyScales } from "./passes/early_scales.ts";
import { foldHaar } from "./passes/fold_haar.ts";
import { simplify } from "./passes/mod.ts";
import { precompute } from "./passes/precompute.ts";
import { reorderBands } from "./passes/reorder_bands.ts";
import { splitSums } from "./passes/split_sums.ts";
import type { Program } from "./program.ts";

/** A program as the bytes of an ONNX file. */
export function exportProgram(program: Program, file: ModelFile): Uint8Array<ArrayBuffer> {
  const known = simplify(
    precompute(reorderBands(earlyScales(foldHaar(splitSums(precompute(program)))))),
  );
  // What ONNX Runtime's WebGPU provider lacks is avoided; all others have what is left.
  return lower(known, "webgpu", nodeRules(), { file });
}
