/**
 * Programs on ONNX Runtime's C library, in lanes.
 *
 * @module
 */
import { boundExecutable } from "./bound_executable.ts";
import type { Executable, OpenOptions } from "./compiled.ts";
import type { OnnxLibrary } from "./onnx_library.ts";
import { phase } from "./phase.ts";
import type { Program } from "./program.ts";

/** How a program is opened besides what was asked of it. */
export interface BoundOptions extends OpenOptions {
  /** Of all lanes together. */
  readonly threads: number;
  /** ONNX Runtime's own settings by name. */
  readonly config: Readonly<Record<string, string>>;
}

/** Opens a program that was lowered to a model. */
export async function openBound(
  { compile }: OnnxLibrary,
  program: Program,
  model: Uint8Array<ArrayBuffer>,
  { threads, config, ...options }: BoundOptions,
): Promise<Executable> {
  const each = Math.max(1, Math.floor(threads / options.lanes));
  // Runs of one thread share a session; others would share its threads, too.
  const count = each === 1 ? 1 : options.lanes;
  const given = {
    threads: each,
    inputs: program.inputs.length,
    outputs: program.outputs.length,
    config,
  };
  const sessions = await phase(
    "open",
    program.name,
    () => Promise.all(Array.from({ length: count }, () => compile(model, given))),
  );
  return boundExecutable(program, options, {
    infer: (lane, inputs, outputs) => sessions[lane % count]!.run(inputs, outputs),
    free: () => sessions.forEach((session) => session.free()),
  });
}
