import { createEngine, type Engine } from "../mod.ts";
import type { Options } from "./command.ts";

/** Options of every command that computes. */
export const ENGINE_OPTIONS = {
  engine: {
    type: "text",
    value: "E",
    help: "how tensors are computed: compiled or eagerly",
    choices: ["onnx", "tfjs"],
    default: "onnx",
  },
  device: { type: "text", value: "D", help: "where", choices: ["cpu"], default: "cpu" },
  threads: { type: "integer", value: "N", help: "threads; by default all cores", minimum: 1 },
} as const satisfies Options;

/** Makes the engine that the options ask for, lends it, and frees it. */
export async function withEngine<Result>(
  { engine, device, threads }: {
    readonly engine: string;
    readonly device: string;
    readonly threads: number | undefined;
  },
  use: (engine: Engine) => Promise<Result>,
): Promise<Result> {
  const made = await createEngine({
    engine: engine as "onnx", // one of the choices above
    device: device as "cpu",
    ...threads !== undefined && { threads },
  });
  try {
    return await use(made);
  } finally {
    await made.dispose();
  }
}
