/** Models by ONNX Runtime as it is, without an engine of ours. */
import ort from "onnxruntime-node";
import type { HostArray } from "../../core/contracts.ts";

/** The first output of a model that is given arrays in order; one without some of its inputs ignores them. */
export async function runModel(
  model: Uint8Array,
  arrays: readonly HostArray[],
): Promise<HostArray> {
  const session = await ort.InferenceSession.create(model);
  const feeds = arrays.map(({ data, shape }, i) =>
    [`in${i}`, new ort.Tensor("float32", data as Float32Array, shape)] as const
  );
  const given = feeds.filter(([name]) => session.inputNames.includes(name));
  const { out0 } = await session.run(Object.fromEntries(given));
  await session.release();
  return { shape: out0!.dims, data: out0!.data as Float32Array };
}

/** The largest difference, as a share of the largest expected number. */
export function difference(actual: Float32Array, expected: Float32Array): number {
  const largest = (numbers: Float32Array) => numbers.reduce((m, x) => Math.max(m, Math.abs(x)), 0);
  return largest(actual.map((x, i) => x - expected[i]!)) / largest(expected);
}
