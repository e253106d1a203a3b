/**
 * Where ONNX Runtime computes, and what is missing where it cannot.
 *
 * @module
 */
import type * as Ort from "onnxruntime-node";
import { type Adapter, adapterWords, findAdapter, NO_ADAPTER } from "./adapter.ts";
import type { DeviceName } from "./engine.ts";
import { nodeRules } from "./kernels/mod.ts";
import { lower } from "./lowering.ts";
import { threadWords } from "./thread_words.ts";
import { trace } from "./tracing.ts";

/** Loads the package. */
export async function loadOrt(): Promise<typeof Ort> {
  const ort = await import("onnxruntime-node");
  ort.env.logLevel = "fatal"; // its errors are thrown, too, and then put in words of ours
  return ort;
}

/**
 * Opens an empty program on a device, so that what is missing is told before anything is computed.
 *
 * @throws {Error} If the device cannot be used; the message says what to install.
 */
export async function probeOnnxDevice(device: DeviceName): Promise<void> {
  const session = await probe(device);
  await session.release();
}

/** Opens an empty program on a device. */
export async function probe(device: DeviceName): Promise<Ort.InferenceSession> {
  const ort = await loadOrt();
  try {
    const program = trace("probe", [[1]], ([x]) => [x!]);
    return await ort.InferenceSession.create(lower(program, "onnxruntime", nodeRules()), {
      executionProviders: [device],
      logSeverityLevel: 4,
    });
  } catch (cause) {
    const remedy = device === "webgpu"
      ? missingGpu(await findAdapter())
      : "an NVIDIA GPU with its driver and ONNX Runtime's CUDA libraries; get them with `deno install --allow-scripts=npm:onnxruntime-node`";
    throw new Error(`Cannot create the engine "onnx" on "${device}": expected ${remedy}`, {
      cause,
    });
  }
}

/** Dawn refuses GPUs that Deno takes: old drivers, and Debian 12's lavapipe. */
function missingGpu(refused: Adapter | undefined): string {
  if (!refused) return NO_ADAPTER;
  return `a GPU that ONNX Runtime accepts but received ${refused.name}, which lacks what it needs; update its driver, or name another in VK_DRIVER_FILES`;
}

/** A device in words: `WebGPU, llvmpipe (a software adapter: slow)`. */
export function placeWords(
  device: DeviceName,
  threads: number,
  adapter: Adapter | undefined,
): string {
  if (device === "cpu") return `the CPU, ${threadWords(threads)}`;
  if (device === "cuda") return "CUDA";
  return `WebGPU${adapter ? `, ${adapterWords(adapter)}` : ""}`;
}
