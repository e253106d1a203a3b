/**
 * Whether this build of ONNX Runtime has its blocked layout on this processor. The operators are the
 * library's own business (domain `com.microsoft.nchwc`), so nothing is taken for granted: they must
 * give what the plain convolution gives.
 *
 * @module
 */
import type * as Ort from "onnxruntime-node";
import { blockedForms } from "./forms/mod.ts";
import { nodeRules } from "./kernels/mod.ts";
import { lower } from "./lowering.ts";
import type { Program } from "./program.ts";
import { sizeOf } from "./rule.ts";

const SIZES = [16, 8]; // AVX-512, AVX2

/** Channels per block; 0 if the layout does not exist or is another than expected. */
export async function findBlockSize(
  ort: Pick<typeof Ort, "Tensor">,
  start: (model: Uint8Array<ArrayBuffer>) => Promise<Ort.InferenceSession>,
): Promise<number> {
  if (Deno.build.arch !== "x86_64") return 0; // where there are no kernels, the operators may crash
  const feeds = { in0: ramp(ort, [1, 3, 3, 32]), in1: ramp(ort, [3, 3, 32, 32]) };
  const run = async (block: number) => {
    const session = await start(model(block));
    const { out0 } = await session.run(feeds);
    await session.release();
    return out0!.data as Float32Array;
  };
  const expected = await run(0);
  for (const block of SIZES) {
    try {
      const actual = await run(block);
      if (expected.every((value, i) => Math.abs(value - actual[i]!) < 1e-3)) return block;
    } catch {
      // Unknown operators, or shapes that they do not take: there is no such layout here.
    }
  }
  return 0;
}

function model(block: number): Uint8Array<ArrayBuffer> {
  const shapes = [[1, 3, 3, 32], [3, 3, 32, 32], [1, 3, 3, 32]];
  const program: Program = {
    name: "blocked layout",
    values: shapes.map((shape) => ({ shape, dtype: "float32" })),
    ops: [{
      kernel: "Conv2D",
      inputs: [0, 1],
      attributes: { strides: 1, pad: "same" },
      outputs: [2],
    }],
    inputs: [0, 1],
    outputs: [2],
    draws: [],
  };
  return lower(program, "onnxruntime", nodeRules(), { forms: blockedForms, block });
}

/** Numbers in [-1, 1] that tell every place from every other. */
function ramp({ Tensor }: Pick<typeof Ort, "Tensor">, shape: readonly number[]): Ort.Tensor {
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => (i * 37 % 101) / 50 - 1);
  return new Tensor("float32", data, shape);
}
