/**
 * The compiled engine on ONNX Runtime.
 *
 * @module
 */
import { createCompiledEngine, type Executable } from "./compiled.ts";
import type { Engine } from "./engine.ts";
import { kernelRules } from "./kernels/mod.ts";
import { lower } from "./lowering.ts";
import type { Program } from "./program.ts";

const RULES = new Map(kernelRules.map((rule) => [rule.kernel, rule]));

/** Makes the engine; the library is loaded here and not before. */
export async function createOnnxEngine(threads: number): Promise<Engine> {
  const ort = await import("onnxruntime-node");

  const open = async (program: Program): Promise<Executable> => {
    const session = await ort.InferenceSession.create(lower(program, "onnxruntime", RULES), {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
      // Spinning threads starve whatever else runs on the machine (docs/performance.md).
      extra: { session: { intra_op: { allow_spinning: "0" } } },
    });
    return {
      async run(inputs) {
        const feeds = Object.fromEntries(
          inputs.map(({ shape, data }, i) => [`in${i}`, new ort.Tensor("float32", data, shape)]),
        );
        const results = await session.run(feeds);
        return program.outputs.map((_, i) => {
          const { dims, data } = results[`out${i}`]!;
          return { shape: dims, data: data as Float32Array };
        });
      },
      release: () => session.release(),
    };
  };

  return createCompiledEngine({
    name: "onnx",
    device: "cpu",
    threads,
    precision: "f32",
    description: `ONNX Runtime ${ort.env.versions.common} on the CPU, ${threads} threads`,
    open,
    close: () => {},
  });
}
