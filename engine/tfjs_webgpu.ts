/**
 * TensorFlow.js's WebGPU backend on Deno's own WebGPU. Loaded only when asked for.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { adapterWords, findAdapter, NO_ADAPTER } from "./adapter.ts";
import type { EagerBackend } from "./tfjs.ts";

const BACKEND = "webgpu";

/**
 * Loads the backend and opens the GPU.
 *
 * @throws {Error} If there is no GPU, not even one in software.
 */
export async function loadWebgpuBackend(): Promise<EagerBackend> {
  const adapter = await findAdapter();
  if (!adapter) {
    throw new Error(`Cannot create the engine "tfjs" on "webgpu": expected ${NO_ADAPTER}`);
  }
  await import("@tensorflow/tfjs-backend-webgpu");
  if (!await tf.setBackend(BACKEND)) {
    throw new Error(
      `Cannot create the engine "tfjs" on "webgpu": expected ${adapter.name} to open but it did not; update its driver`,
    );
  }
  await tf.setBackend("cpu");
  const { device } = tf.findBackend(BACKEND) as unknown as { readonly device: GPUDevice };
  return {
    name: BACKEND,
    device: "webgpu",
    threads: 1,
    description: `TensorFlow.js ${tf.version_core} on WebGPU, ${adapterWords(adapter)}, eager`,
    watch: () => watchErrors(device),
  };
}

/** WebGPU computes zeros after an error, and tells only those who have asked before. */
function watchErrors(device: GPUDevice): () => Promise<void> {
  device.pushErrorScope("out-of-memory");
  device.pushErrorScope("validation");
  return async () => {
    const [validation, memory] = await Promise.all([
      device.popErrorScope(),
      device.popErrorScope(),
    ]);
    if (memory) throw new Error(`out of memory: ${memory.message}`);
    if (validation) throw new Error(validation.message);
  };
}
