/**
 * How tensors are computed.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { DeviceName, Engine, EngineName, PrecisionName } from "./engine.ts";
import { findOpenvino } from "./find_openvino.ts";
import { registerMissingGradients } from "./gradients.ts";

export type * from "./engine.ts";
export { disposeArrays, readArrays, type ReadOf } from "./resident.ts";

/** Options of {@linkcode createEngine}. */
export interface EngineOptions {
  /**
   * - `onnx`: compiled, ONNX Runtime (default).
   * - `openvino`: compiled, OpenVINO: faster, where it is installed (`pip install openvino`).
   * - `auto`: `openvino` where it is installed, else `onnx`; the engine's description says which.
   * - `tfjs`: eager TensorFlow.js, for debugging.
   */
  readonly engine?: EngineName | "auto";
  /** Default `cpu`. */
  readonly device?: DeviceName;
  /** Default: all cores. */
  readonly threads?: number;
  /** Default `f32`. `bf16` needs OpenVINO and a CPU that has it. */
  readonly precision?: PrecisionName;
  /** Where OpenVINO is: its C library, or a folder of the installation or Python environment. */
  readonly openvino?: string;
  /** A folder where OpenVINO keeps compiled models, found again by their content. */
  readonly cache?: string;
}

const CHOICES: Readonly<Record<EngineName, Readonly<Record<"device" | "precision", string[]>>>> = {
  onnx: { device: ["cpu"], precision: ["f32"] },
  openvino: { device: ["cpu"], precision: ["f32", "bf16"] },
  tfjs: { device: ["cpu"], precision: ["f32"] },
};

/**
 * Makes an engine. Nothing is loaded before.
 *
 * @throws {RangeError} If an option is not one of those known to the engine, or bfloat16 is asked of
 *   a CPU that has none.
 * @throws {Error} If OpenVINO is asked for and cannot be found.
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
  const { engine: asked = "onnx", device = "cpu", precision = "f32" } = options;
  const { threads = navigator.hardwareConcurrency, openvino, cache } = options;
  const { engine, reason, library } = choose(asked, openvino);
  const choices = CHOICES[engine];
  if (!choices) {
    throw new RangeError(
      `Cannot create an engine: expected "engine" to be one of ${
        quoted([...Object.keys(CHOICES), "auto"])
      } but received "${engine}"`,
    );
  }
  for (const [option, value] of Object.entries({ device, precision })) {
    const known = choices[option as "device" | "precision"];
    if (known.includes(value)) continue;
    throw new RangeError(
      `Cannot create the engine "${engine}": expected "${option}" to be one of ${
        quoted(known)
      } but received "${value}"${reason}`,
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
  const made = await open();
  return reason ? { ...made, description: `${made.description}${reason}` } : made;

  async function open(): Promise<Engine> {
    if (engine === "tfjs") return (await import("./tfjs.ts")).createTfjsEngine();
    if (engine === "onnx") return await (await import("./onnx.ts")).createOnnxEngine(threads);
    const { createOpenvinoEngine } = await import("./openvino.ts");
    return createOpenvinoEngine({ threads, precision, library, cache });
  }
}

/** The engine that is meant, why `auto` means it, and OpenVINO's library if it is needed. */
function choose(asked: EngineName | "auto", openvino: string | undefined) {
  if (asked !== "auto" && asked !== "openvino") {
    return { engine: asked, reason: "", library: "" };
  }
  const found = findOpenvino(openvino);
  if ("path" in found) {
    const reason = asked === "auto" ? " (chosen by auto: OpenVINO is installed)" : "";
    return { engine: "openvino" as const, reason, library: found.path };
  }
  if (asked === "openvino" || found.named) {
    throw new Error(`Cannot create the engine "${asked}": ${found.missing}`);
  }
  return {
    engine: "onnx" as const,
    reason: " (chosen by auto: OpenVINO is not installed)",
    library: "",
  };
}

const quoted = (names: readonly string[]) => names.map((name) => `"${name}"`).join(", ");
