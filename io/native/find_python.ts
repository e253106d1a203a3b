import { join } from "node:path";
import { quote } from "../describe.ts";
import { inspectPython, type Python } from "./inspect_python.ts";
import { lastLine } from "./last_line.ts";
import { refusal } from "./refusal.ts";

/** TensorFlow 2.15 and newer need it. */
const OLDEST = [3, 9];

const isOld = (version: string) => {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < OLDEST[0]! || (major === OLDEST[0] && minor < OLDEST[1]!);
};

/**
 * The Python that is chosen, a program or the folder of an environment; else that of the active
 * environment, else the first on the path.
 *
 * @throws {Error} if there is none, or what is there is too old or made for another machine
 */
export async function findPython(
  chosen: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Python> {
  const environment = Deno.env.get("VIRTUAL_ENV");
  const candidates = chosen
    ? [join(chosen, "bin", "python"), chosen]
    : [...environment ? [join(environment, "bin", "python")] : [], "python3", "python"];
  const problems: string[] = [];
  for (const candidate of candidates) {
    if (await Deno.stat(candidate).then((info) => info.isDirectory, () => false)) continue;
    const found = await inspectPython(candidate, signal);
    if (found === undefined) continue;
    const problem = typeof found === "string"
      ? `${quote(candidate)} to be a Python that works but received ${lastLine(found)}`
      : problemOf(found);
    if (typeof found !== "string" && !problem) return found;
    problems.push(problem!);
  }
  if (problems.length > 0) throw refusal(`${problems[0]}; name another with --python`);
  throw refusal(
    chosen
      ? `a Python at ${
        quote(chosen)
      } but found none; give the program, or the folder of an environment`
      : `Python 3 but found none; install it with \`${INSTALL}\``,
  );
}

const INSTALL = Deno.build.os === "darwin"
  ? "brew install python"
  : "apt-get install python3 python3-venv";

/** What makes a Python useless here, as the end of an error. */
function problemOf({ program, version, platform, bits }: Python): string | undefined {
  if (isOld(version)) {
    return `Python ${OLDEST.join(".")} or newer but received ${version} of ${quote(program)}`;
  }
  // pip would install libraries that cannot be linked with what Deno runs.
  const { arch } = Deno.build;
  const fits = bits === 64 && platform.replace("arm64", "aarch64").includes(arch);
  if (fits || platform.endsWith("universal2")) return undefined;
  return `a Python for ${arch} but ${quote(program)} is one for ${platform} with ${bits} bits`;
}
