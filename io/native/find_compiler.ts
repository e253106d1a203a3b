import { join } from "node:path";
import { quote } from "../describe.ts";
import { refusal } from "./refusal.ts";
import { runProgram } from "./run_program.ts";

/** A C++ compiler that works. */
export interface Compiler {
  readonly program: string;
  /** The first line of what `--version` prints. */
  readonly version: string;
}

/** The addon is C++17, and links the standard library. */
const PROBE = `#include <memory>
#include <string_view>
extern "C" std::size_t probe() { return std::make_unique<std::string_view>("probe")->size(); }
`;

const INSTALL = Deno.build.os === "darwin" ? "xcode-select --install" : "apt-get install g++";

/**
 * The compiler that `CXX` names, else the first of the usual ones, once it has compiled a few lines
 * in `folder`: before anything large is fetched.
 *
 * @throws {Error} if there is none, or what is there cannot compile C++17
 */
export async function findCompiler(
  folder: string,
  signal: AbortSignal | undefined,
): Promise<Compiler> {
  const chosen = Deno.env.get("CXX");
  const names = chosen ? [chosen] : ["c++", "g++", "clang++"];
  for (const program of names) {
    const found = await runProgram(program, ["--version"], { signal });
    if (!found?.success) continue;
    await tryCompiler(program, folder, signal);
    return { program, version: found.text.split("\n")[0]! };
  }
  throw refusal(
    `a C++17 compiler but found none of ${
      names.join(", ")
    }; install one with \`${INSTALL}\`, or name it in CXX`,
  );
}

async function tryCompiler(program: string, folder: string, signal: AbortSignal | undefined) {
  const source = join(folder, "probe.cc");
  await Deno.writeTextFile(source, PROBE);
  const args = ["-std=c++17", "-fPIC", "-shared", source, "-o", join(folder, "probe.so")];
  const compiled = await runProgram(program, args, { signal });
  if (compiled?.success) return;
  throw refusal(
    `${program} to compile C++17 with its standard library but received ${
      errorLine(compiled?.text)
    }; install another with \`${INSTALL}\`, and name it in CXX`,
  );
}

/** The first line in which a compiler speaks of an error, in quotes. */
export function errorLine(text = ""): string {
  const lines = text.split("\n");
  return quote((lines.find((line) => /\berror\b/i.test(line)) ?? lines[0]!).trim() || "nothing");
}
