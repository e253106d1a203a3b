import { dirname, join } from "node:path";
import { type Compiler, errorLine } from "./find_compiler.ts";
import type { Tensorflow } from "./find_libraries.ts";
import type { Sources } from "./install_sources.ts";
import { refusal } from "./refusal.ts";
import { runProgram } from "./run_program.ts";

/**
 * Compiles the addon to where its package looks for it.
 *
 * @throws {Error} with the compiler's first error
 */
export async function compileAddon(
  { program }: Compiler,
  { sources, tensorflow, signal }: {
    readonly sources: Sources;
    readonly tensorflow: Tensorflow;
    readonly signal: AbortSignal | undefined;
  },
): Promise<void> {
  const addon = join(sources.folder, "lib", "napi-v8", "tfjs_binding.node");
  await Deno.mkdir(dirname(addon), { recursive: true });
  const headers = [sources.headers, sources.folder, join(tensorflow.folder, "include")];
  const built = await runProgram(program, [
    ...["-O2", "-std=c++17", "-fPIC", "-shared", "-DNAPI_VERSION=8"],
    ...Deno.build.os === "darwin" ? ["-undefined", "dynamic_lookup"] : [],
    ...headers.map((path) => `-I${path}`),
    ...["tfjs_backend.cc", "tfjs_binding.cc"].map((file) => join(sources.folder, "binding", file)),
    ...tensorflow.libraries,
    `-Wl,-rpath,${tensorflow.folder}`,
    ...["-o", addon],
  ], { signal });
  if (built?.success) return;
  throw refusal(
    `${program} to compile ${sources.name} against TensorFlow ${tensorflow.version} but received ${
      errorLine(built?.text)
    }; try another version with --tensorflow, or another compiler with CXX`,
  );
}
