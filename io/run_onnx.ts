/**
 * Runs an ONNX model once, on ONNX Runtime's CPU provider.
 *
 * @module
 */
import type { HostArray } from "../core/contracts.ts";

/** The outputs of a model by name. Inputs are float32. */
export async function runOnnx(
  model: Uint8Array<ArrayBuffer>,
  inputs: Readonly<Record<string, HostArray>>,
): Promise<Readonly<Record<string, HostArray>>> {
  const ort = await import("onnxruntime-node");
  const session = await ort.InferenceSession.create(model, {
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  });
  try {
    const results = await session.run(Object.fromEntries(
      Object.entries(inputs).map((
        [name, { shape, data }],
      ) => [name, new ort.Tensor("float32", data, shape)]),
    ));
    return Object.fromEntries(
      Object.entries(results).map(([name, { dims, data }]) => [
        name,
        { shape: dims, data: Float32Array.from(data as Float32Array) },
      ]),
    );
  } finally {
    await session.release();
  }
}
