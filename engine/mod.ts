/**
 * How tensors are computed.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { chooseDevice } from "./choose_device.ts";
import { type DeviceCandidate, type DeviceReport, tryCandidate } from "./devices.ts";
import type { DeviceName, Engine, EngineName, PrecisionName } from "./engine.ts";
import { findOpenvino } from "./find_openvino.ts";
import { registerMissingGradients } from "./gradients.ts";
import type { Rule } from "./rule.ts";

export type * from "./engine.ts";
export type { Layout, Lowering, PhysicalLayout, Target } from "./lowering.ts";
export type {
  Attributes as NodeAttributes,
  ElementType,
  GraphBuilder,
  ModelFile,
  NodeAttribute,
  Port,
} from "./onnx_model.ts";
export type { ComposedRule, KernelRule, NamedInputs, Rule, TensorType } from "./rule.ts";
export { type Adapter, findAdapter } from "./adapter.ts";
export {
  candidateName,
  type DeviceCandidate,
  deviceCandidates,
  type DeviceReport,
  deviceVerdict,
} from "./devices.ts";
export { DeviceError, type DeviceFault } from "./device_error.ts";
export { findNativeAddon, type NativeAddon } from "./native.ts";
export { disposeArrays, readArrays, type ReadOf } from "./resident.ts";
export { engineScope } from "./scope.ts";

/** Options of {@linkcode createEngine}. */
export interface EngineOptions {
  /**
   * - `onnx`: compiled, ONNX Runtime (default).
   * - `openvino`: compiled, OpenVINO: faster, where it is installed (`pip install openvino`).
   * - `auto`: `openvino` where it is installed, else `onnx`; the engine's description says which.
   * - `tfjs`: eager TensorFlow.js, for debugging.
   */
  readonly engine?: EngineName | "auto";
  /**
   * - `cpu` (default).
   * - `webgpu`: any vendor's GPU, through its driver.
   * - `cuda`: an NVIDIA GPU, through ONNX Runtime's CUDA provider, or the native TensorFlow addon.
   * - `auto`: the first that the engine has of CUDA, WebGPU on a real GPU, CPU; the engine's
   *   description says which and why.
   */
  readonly device?: DeviceName | "auto";
  /** Default: all cores. */
  readonly threads?: number;
  /** Default `f32`. `bf16` needs OpenVINO and a CPU that has it. */
  readonly precision?: PrecisionName;
  /** Where OpenVINO is: its C library, or a folder of the installation or Python environment. */
  readonly openvino?: string;
  /** A folder where OpenVINO keeps compiled models, found again by their content. */
  readonly cache?: string;
  /** `false`: `tfjs` on the CPU computes in JavaScript even if the native addon was built. */
  readonly native?: boolean;
  /**
   * `true`: the process may give up calling native code (`Deno.permissions.revoke({ name: "ffi" })`)
   * once the engine is made, as the command line does for plugins. `onnx` then runs on the program's
   * thread, and computes no parts of a batch side by side.
   */
  readonly confined?: boolean;
  /**
   * Rules for TensorFlow.js kernels that the compiled engines do not know, or better ones; `docs/kernels.md`
   * lists those that they know. The eager engine runs the kernel itself.
   */
  readonly rules?: readonly Rule[];
  /** Called with what is worth knowing: which nodes a device leaves to the CPU. Costs some time. */
  readonly report?: (line: string) => void;
}

const CHOICES: Readonly<Record<EngineName, Readonly<Record<"device" | "precision", string[]>>>> = {
  onnx: { device: ["cpu", "webgpu", "cuda"], precision: ["f32"] },
  openvino: { device: ["cpu"], precision: ["f32", "bf16"] },
  tfjs: { device: ["cpu", "webgpu", "cuda"], precision: ["f32"] },
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
  const { engine: asked = "onnx", device: wanted = "cpu", precision = "f32" } = options;
  const { threads = navigator.hardwareConcurrency, openvino, cache, native, report, rules } =
    options;
  const { confined } = options;
  const { engine, reason: engineReason, library } = choose(asked, openvino);
  const choices = CHOICES[engine];
  if (!choices) {
    throw new RangeError(
      `Cannot create an engine: expected "engine" to be one of ${
        quoted([...Object.keys(CHOICES), "auto"])
      } but received "${engine}"`,
    );
  }
  for (const [option, value] of Object.entries({ device: wanted, precision })) {
    const known = choices[option as "device" | "precision"];
    if (known.includes(value) || option === "device" && value === "auto") continue;
    throw new RangeError(
      `Cannot create the engine "${engine}": expected "${option}" to be one of ${
        quoted(option === "device" ? [...known, "auto"] : known)
      } but received "${value}"${engineReason}`,
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
  const { device, reason: deviceReason } = wanted === "auto"
    ? await chooseDevice(engine)
    : { device: wanted, reason: "" };
  const made = await open();
  const reason = engineReason + deviceReason;
  return reason ? { ...made, description: `${made.description}${reason}` } : made;

  async function open(): Promise<Engine> {
    if (engine === "onnx") {
      const { createOnnxEngine } = await import("./onnx.ts");
      return await createOnnxEngine({ threads, device, confined, report, rules });
    }
    if (engine === "tfjs") {
      const { createTfjsEngine, openEagerBackend } = await import("./tfjs.ts");
      return createTfjsEngine(await openEagerBackend({ device, threads, native }), rules);
    }
    const { createOpenvinoEngine } = await import("./openvino.ts");
    return createOpenvinoEngine({ threads, precision, library, cache, rules });
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

/**
 * Tries an engine on a device, and measures matrix products and convolutions.
 *
 * A driver that fails may end the process: `deno task devices` tries each in one of its own.
 *
 * @param options `seconds` of measuring; 0 measures nothing. Default 1.
 *
 * @example
 * ```ts
 * import { tryDevice } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const { ready } = await tryDevice({ engine: "onnx", device: "cpu" }, { seconds: 0 });
 * assert.ok(ready);
 * ```
 */
export async function tryDevice(
  candidate: DeviceCandidate,
  { seconds = 1 }: { readonly seconds?: number } = {},
): Promise<DeviceReport> {
  return await tryCandidate(candidate, seconds, createEngine);
}

const quoted = (names: readonly string[]) => names.map((name) => `"${name}"`).join(", ");
