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
  addInParts();
  const { device } = tf.findBackend(BACKEND) as unknown as { readonly device: GPUDevice };
  return {
    name: BACKEND,
    device: "webgpu",
    threads: 1,
    description: `TensorFlow.js ${tf.version_core} on WebGPU, ${adapterWords(adapter)}, eager`,
    watch: () => watchErrors(device),
  };
}

/** Its sum binds every operand in one shader; a device offers 8 buffers at least, one is the result. */
const MOST_OPERANDS = 7;

/** Makes long sums a chain of shorter ones. */
function addInParts(): void {
  const own = tf.getKernel("AddN", BACKEND);
  if (own.kernelFunc.name === "sumInParts") return; // done before
  const add = (inputs: readonly tf.TensorInfo[], rest: Parameters<tf.KernelFunc>[0]) =>
    own.kernelFunc({
      ...rest,
      inputs: inputs as unknown as tf.NamedTensorInfoMap,
    }) as tf.TensorInfo;
  tf.unregisterKernel("AddN", BACKEND);
  tf.registerKernel({
    ...own,
    kernelFunc: function sumInParts(parameters) {
      const operands = Object.values(parameters.inputs) as tf.TensorInfo[];
      let sum = add(operands.slice(0, MOST_OPERANDS), parameters);
      for (let i = MOST_OPERANDS; i < operands.length; i += MOST_OPERANDS - 1) {
        const part = sum;
        sum = add([part, ...operands.slice(i, i + MOST_OPERANDS - 1)], parameters);
        (parameters.backend as tf.KernelBackend).disposeData(part.dataId);
      }
      return sum;
    },
  });
}

/** WebGPU computes zeros after an error, and tells only those who have asked before. */
function watchErrors(device: GPUDevice): (hasFailed: boolean) => Promise<void> {
  device.pushErrorScope("out-of-memory");
  device.pushErrorScope("validation");
  return async (hasFailed) => {
    const [validation, memory] = await Promise.all([
      device.popErrorScope(),
      device.popErrorScope(),
    ]);
    if (hasFailed && await isLost(device)) {
      throw new Error("Cannot compute on WebGPU: the device was lost");
    }
    const error = memory ? `out of memory, ${memory.message}` : validation?.message;
    if (error) throw new Error(`Cannot compute on WebGPU: ${error}`);
  };
}

/** What fails with a lost device fails before the loss is told: some 30 ms in Deno. */
const LOSS_MS = 500;

async function isLost(device: GPUDevice): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), LOSS_MS);
  });
  try {
    return await Promise.race([device.lost.then(() => true as const), patience]);
  } finally {
    clearTimeout(timer);
  }
}
