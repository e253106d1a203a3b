import { join } from "node:path";
import { findLibraries, type Tensorflow } from "./find_libraries.ts";
import { inspectPython, type Python } from "./inspect_python.ts";
import { lastLine } from "./last_line.ts";
import { pipProblem } from "./pip_problem.ts";
import { refusal } from "./refusal.ts";
import { runProgram } from "./run_program.ts";

/** What {@linkcode installTensorflow} needs to know. */
export interface InstallOptions {
  /** The environment is made in it. */
  readonly folder: string;
  readonly version: string;
  readonly cuda: boolean;
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Written last: an environment without it was interrupted, and is made anew. */
const COMPLETE = "complete";

/**
 * TensorFlow in an environment of ours; one that is whole is used again.
 *
 * @throws {Error} if the environment cannot be made, or pip cannot install TensorFlow
 */
export async function installTensorflow(
  base: Python,
  { folder, version, cuda, report, signal }: InstallOptions,
): Promise<Tensorflow & { readonly environment: string }> {
  const environment = join(folder, `venv-${version}${cuda ? "-cuda" : ""}`);
  const program = join(environment, "bin", "python");
  const find = async () => {
    const python = await inspectPython(program, signal);
    const found = typeof python === "object" ? python.tensorflow : null;
    return found && { ...found, cuda };
  };
  const complete = join(environment, COMPLETE);
  const isComplete = await Deno.stat(complete).then(() => true, () => false);
  const there = isComplete ? await find() : null;
  if (there) {
    const whole = await findLibraries(there, "").catch(() => undefined); // else made anew
    if (whole) return { ...whole, environment };
  }
  await makeEnvironment(base, environment, signal);
  const cpu = Deno.build.os === "linux" ? "tensorflow-cpu" : "tensorflow";
  const wanted = `${cuda ? "tensorflow[and-cuda]" : cpu}==${version}`;
  report(`installing ${wanted} with pip into ${environment} (${cuda ? "4" : "1.3"} GB)`);
  // The addon needs TensorFlow's libraries and headers, not what its Python part imports.
  const dependencies = cuda ? [] : ["--no-deps", "--no-compile"];
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  const installed = await runProgram(program, [...pip, ...dependencies, wanted], { signal });
  if (!installed?.success) throw refusal(pipProblem(installed?.text ?? "", { wanted, base }));
  const found = await find();
  if (!found) throw refusal(`TensorFlow ${version} in ${environment} but found none after pip`);
  const tensorflow = await findLibraries(found, "name 2.15 or newer with --tensorflow");
  await Deno.writeTextFile(complete, "");
  return { ...tensorflow, environment };
}

async function makeEnvironment(
  { program, version, venv }: Python,
  environment: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (!venv) {
    throw refusal(
      `venv and ensurepip in Python ${version} but found none of both; install them with \`apt-get install python3-venv\`, or name another Python with --python`,
    );
  }
  const made = await runProgram(program, ["-m", "venv", "--clear", environment], { signal });
  if (made?.success) return;
  throw refusal(
    `Python ${version} to make an environment in ${environment} but received ${
      lastLine(made?.text)
    }; name another Python with --python, or another folder in HAARLEM_NATIVE`,
  );
}
