import { createEngine, type Engine, type EngineOptions } from "../mod.ts";
import type { Options, Values } from "./command.ts";

/** Options of every command that computes. */
export const ENGINE_OPTIONS = {
  engine: {
    type: "text",
    value: "E",
    help:
      "how tensors are computed: onnx compiles for ONNX Runtime, openvino for OpenVINO (pip install openvino), tfjs runs eagerly, auto takes openvino where it is installed",
    choices: ["onnx", "openvino", "tfjs", "auto"],
    default: "onnx",
  },
  device: {
    type: "text",
    value: "D",
    help: "where",
    choices: ["cpu", "webgpu", "cuda", "auto"],
    default: "cpu",
  },
  threads: { type: "integer", value: "N", help: "threads; by default all cores", minimum: 1 },
  precision: {
    type: "text",
    value: "P",
    help: "what convolutions and matrix products compute in; bf16 with openvino only",
    choices: ["f32", "bf16"],
    default: "f32",
  },
  openvino: { type: "text", value: "PATH", help: "where OpenVINO is, if it is not found" },
} as const satisfies Options;

type EngineValues = Values<typeof ENGINE_OPTIONS>;

/** Makes the engine, once; see `EngineOptions` for what `confined` means. */
export type OpenEngine = (options?: Pick<EngineOptions, "confined">) => Promise<Engine>;

/** Lends a function that makes the engine that the options ask for, once, and frees it. */
export async function withEngine<Result>(
  { engine, device, threads, precision = "f32", openvino }:
    & Pick<EngineValues, "engine" | "device" | "threads">
    & Partial<EngineValues>,
  use: (open: OpenEngine) => Promise<Result>,
  report?: EngineOptions["report"],
): Promise<Result> {
  let made: Engine | undefined;
  const open: OpenEngine = async ({ confined = false } = {}) =>
    made ??= await createEngine({
      confined,
      // Each is one of the choices above.
      engine: engine as NonNullable<EngineOptions["engine"]>,
      device: device as NonNullable<EngineOptions["device"]>,
      precision: precision as NonNullable<EngineOptions["precision"]>,
      ...threads !== undefined && { threads },
      ...openvino !== undefined && { openvino },
      ...report && { report },
    });
  try {
    return await use(open);
  } finally {
    await made?.dispose();
  }
}
