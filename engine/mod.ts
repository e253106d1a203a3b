/**
 * How tensors are computed.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { DeviceName, Engine, EngineName } from "./engine.ts";
import { registerMissingGradients } from "./gradients.ts";

export type * from "./engine.ts";

/** Options of {@linkcode createEngine}. */
export interface EngineOptions {
  /** `onnx`: compiled, ONNX Runtime (default). `tfjs`: eager TensorFlow.js, for debugging. */
  readonly engine?: EngineName;
  /** Default `cpu`. */
  readonly device?: DeviceName;
  /** Default: all cores. */
  readonly threads?: number;
}

const DEVICES: Readonly<Record<EngineName, readonly DeviceName[]>> = {
  onnx: ["cpu"],
  tfjs: ["cpu"],
};

/**
 * Makes an engine. Nothing is loaded before.
 *
 * @throws {RangeError} If the engine, the device or the number of threads is not one of those known.
 *
 * @example Compile a function of arrays
 * ```ts
 * import { createEngine, tf } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const engine = await createEngine({ engine: "tfjs" });
 * const square = engine.compile(({ x }: { x: tf.Tensor }) => tf.square(x), { name: "square" });
 * const { data } = await square({ x: { shape: [2], data: Float32Array.of(2, 3) } });
 * assert.deepEqual([...data], [4, 9]);
 * ```
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  const { engine = "onnx", device = "cpu", threads = navigator.hardwareConcurrency } = options;
  const devices = DEVICES[engine];
  if (!devices) {
    throw new RangeError(
      `Cannot create an engine: expected "engine" to be one of ${
        quoted(Object.keys(DEVICES))
      } but received "${engine}"`,
    );
  }
  if (!devices.includes(device)) {
    throw new RangeError(
      `Cannot create the engine "${engine}": expected "device" to be one of ${
        quoted(devices)
      } but received "${device}"`,
    );
  }
  if (!Number.isInteger(threads) || threads < 1) {
    throw new RangeError(
      `Cannot create the engine "${engine}": expected "threads" to be a whole number of at least 1 but received ${threads}`,
    );
  }
  registerMissingGradients();
  tf.enableProdMode(); // no advice on the console, no checks for NaN that would read every tensor
  await tf.setBackend("cpu"); // what host code between compiled steps runs on
  // TensorFlow.js looks at `GPUBuffer` when it makes a tensor. The first look makes Deno load it, and
  // run whatever promises wait: were that during a trace, they would run in the middle of it.
  tf.scalar(0).dispose();
  if (engine === "tfjs") return await (await import("./tfjs.ts")).createTfjsEngine();
  return await (await import("./onnx.ts")).createOnnxEngine(threads);
}

const quoted = (names: readonly string[]) => names.map((name) => `"${name}"`).join(", ");
