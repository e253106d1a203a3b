/**
 * Builds the native backend of TensorFlow.js: the addon of `npm:@tensorflow/tfjs-node-gpu` from the
 * C++ source in that package, against the TensorFlow that pip installs. The package's own install
 * script fetches TensorFlow 2.9 for CUDA 11.2 instead.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type NativeAddon, nativeFolder } from "../engine/native.ts";

/** Options of {@linkcode buildNativeAddon}. */
export interface NativeAddonOptions {
  /** Build against a TensorFlow that can use CUDA: `tensorflow[and-cuda]`. */
  readonly cuda?: boolean;
  /** Version of TensorFlow to install; one that is there already is used as it is. */
  readonly tensorflow?: string;
  /** A Python, or the folder of an environment; default: the active environment, else `python3`. */
  readonly python?: string;
  /** Where to build; default: `.cache/native` beside the sources, or `HAARLEM_NATIVE`. */
  readonly folder?: string;
  /** Called with what was found and done. */
  readonly report?: (line: string) => void;
  /** Stops what is being run. */
  readonly signal?: AbortSignal;
}

const PACKAGE = "@tensorflow/tfjs-node-gpu";
const PACKAGES = { [PACKAGE]: "4.22.0", "node-api-headers": "1.9.0" };
/** Tried with the package, as was 2.15.1: the C API that the addon calls has not changed between. */
const TENSORFLOW = "2.21.0";

/**
 * Builds the addon, after which the engine `tfjs` uses it. Safe to run again.
 *
 * Installs the package and Node's headers beside the addon; installs TensorFlow into an environment
 * of its own if the active one has none; compiles; and has a new process compute gradients with the
 * result and compare them with TensorFlow.js in JavaScript.
 *
 * @returns What was built.
 * @throws {Error} If Python, pip, a compiler or the platform is missing, or a step fails; each with
 *   its remedy.
 */
export async function buildNativeAddon(options: NativeAddonOptions = {}): Promise<NativeAddon> {
  const { folder = nativeFolder(), report = () => {}, signal } = options;
  if (Deno.build.os !== "linux" && Deno.build.os !== "darwin") {
    throw cannot(`Linux or macOS but received ${Deno.build.os}; on Windows use WSL 2`);
  }
  const compiler = await findCompiler(signal);
  report(`compiler: ${compiler.version}`);
  await Deno.mkdir(folder, { recursive: true });
  const tensorflow = await findTensorflow({ ...options, folder, report });
  const packageFolder = await installPackages(folder, signal);
  report(`source: ${PACKAGE} ${PACKAGES[PACKAGE]} in ${packageFolder}`);
  const start = performance.now();
  await compile(compiler.program, { folder, packageFolder, tensorflow, signal });
  report(`built in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  const addon: NativeAddon = {
    package: packageFolder,
    tensorflow: tensorflow.version,
    cuda: tensorflow.cuda,
  };
  // Only what works is found by the engine; the last one that worked is not lost to a failure.
  const candidate = join(folder, "candidate");
  await Deno.mkdir(candidate, { recursive: true });
  await Deno.writeTextFile(join(candidate, "native.json"), JSON.stringify(addon));
  report(`smoke test: ${await smokeTest(candidate, signal)}`);
  await Deno.rename(join(candidate, "native.json"), join(folder, "native.json"));
  return addon;
}

/** Removes the addon and everything that was installed for it; says whether there was anything. */
export async function removeNativeAddon(folder: string = nativeFolder()): Promise<boolean> {
  try {
    await Deno.remove(folder, { recursive: true });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const cannot = (rule: string, cause?: unknown) =>
  new Error(`Cannot build the native TensorFlow addon: expected ${rule}`, { cause });

/** A program that has ended. */
interface Finished {
  readonly success: boolean;
  /** What it wrote to its standard output. */
  readonly output: string;
  /** The same, and what it wrote to its standard error. */
  readonly text: string;
}

/** Runs a program; `undefined` if there is none of that name. */
async function attempt(
  program: string,
  args: readonly string[],
  { signal, env }: {
    readonly signal?: AbortSignal | undefined;
    readonly env?: Record<string, string>;
  } = {},
): Promise<Finished | undefined> {
  try {
    const command = new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      env: { NO_COLOR: "1", ...env },
      ...signal && { signal },
    });
    const { success, stdout, stderr } = await command.output();
    signal?.throwIfAborted();
    const [output, errors] = [stdout, stderr].map((bytes) =>
      new TextDecoder().decode(bytes).trim()
    );
    return { success, output: output!, text: `${output}\n${errors}`.trim() };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const lastLine = (text: string) => text.split("\n").at(-1)!.trim();

async function findCompiler(signal: AbortSignal | undefined) {
  const chosen = Deno.env.get("CXX");
  for (const program of chosen ? [chosen] : ["c++", "g++", "clang++"]) {
    const found = await attempt(program, ["--version"], { signal });
    if (found?.success) return { program, version: found.text.split("\n")[0]! };
  }
  throw cannot(
    `a C++17 compiler but found none of ${
      chosen ?? "c++, g++, clang++"
    }; install one with \`apt-get install g++\`, or name it in CXX`,
  );
}

interface Tensorflow {
  readonly version: string;
  /** The folder of the Python package. */
  readonly folder: string;
  readonly cuda: boolean;
}

/** Tells of a Python's TensorFlow without importing it, which takes seconds. */
const FIND_TENSORFLOW = `
import importlib.util, json, os, sys
from importlib import metadata
def version():
    for name in ("tensorflow", "tensorflow-cpu", "tensorflow-cpu-aws", "tensorflow-intel"):
        try: return metadata.version(name)
        except metadata.PackageNotFoundError: pass
spec = importlib.util.find_spec("tensorflow")
found = spec and spec.submodule_search_locations
try: cuda = bool(importlib.util.find_spec("nvidia.cudnn"))
except ModuleNotFoundError: cuda = False
print(json.dumps({
    "python": sys.version.split()[0], "environment": sys.prefix != sys.base_prefix,
    "version": version() if found else None,
    "folder": list(found)[0] if found else None, "cuda": cuda,
}))`;

async function inspectPython(python: string, signal: AbortSignal | undefined) {
  const found = await attempt(python, ["-c", FIND_TENSORFLOW], { signal });
  if (!found?.success) return undefined;
  return JSON.parse(found.output) as {
    readonly python: string;
    readonly environment: boolean;
    readonly version: string | null;
    readonly folder: string | null;
    readonly cuda: boolean;
  };
}

/** The TensorFlow of the active environment, else of one of our own, installed if need be. */
async function findTensorflow(
  { cuda = false, tensorflow = TENSORFLOW, python, folder, report, signal }: NativeAddonOptions & {
    readonly folder: string;
    readonly report: (line: string) => void;
  },
): Promise<Tensorflow> {
  const base = await findPython(python, signal);
  const active = await inspectPython(base, signal);
  const usable = (found: typeof active): Tensorflow | undefined =>
    found?.version && found.folder && (found.cuda || !cuda)
      ? { version: found.version, folder: found.folder, cuda: found.cuda }
      : undefined;
  const there = usable(active);
  if (there) {
    report(`TensorFlow ${there.version}: ${there.folder}`);
    return there;
  }
  const environment = join(folder, cuda ? "venv-cuda" : "venv");
  const own = join(environment, "bin", "python");
  const version = (found: Tensorflow | undefined) =>
    found && found.version === tensorflow ? found : undefined;
  let found = version(usable(await inspectPython(own, signal)));
  if (!found) {
    const made = await attempt(base, ["-m", "venv", environment], { signal });
    if (!made?.success) {
      throw cannot(
        `Python's venv but received "${
          lastLine(made?.text ?? "")
        }"; install it with \`apt-get install python3-venv\``,
      );
    }
    const cpu = Deno.build.os === "linux" ? "tensorflow-cpu" : "tensorflow";
    const wanted = cuda ? `tensorflow[and-cuda]==${tensorflow}` : `${cpu}==${tensorflow}`;
    report(`installing ${wanted} with pip into ${environment} (${cuda ? "4" : "1.3"} GB)`);
    // The addon needs TensorFlow's libraries and headers, not what its Python part imports.
    const dependencies = cuda ? [] : ["--no-deps", "--no-compile"];
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    const installed = await attempt(own, [...pip, ...dependencies, wanted], { signal });
    if (!installed?.success) {
      throw cannot(
        `pip to install ${wanted} for Python ${active?.python} but received "${
          lastLine(installed?.text ?? "")
        }"; try another version with --tensorflow or another Python with --python`,
      );
    }
    found = usable(await inspectPython(own, signal));
  }
  if (!found) throw cannot(`TensorFlow ${tensorflow} in ${environment} but found none after pip`);
  report(`TensorFlow ${found.version}: ${found.folder}`);
  return found;
}

async function findPython(
  chosen: string | undefined,
  signal: AbortSignal | undefined,
): Promise<string> {
  const environment = Deno.env.get("VIRTUAL_ENV");
  const candidates = chosen
    ? [join(chosen, "bin", "python"), chosen]
    : [...environment ? [join(environment, "bin", "python")] : [], "python3", "python"];
  for (const candidate of candidates) {
    const isFolder = await Deno.stat(candidate).then((info) => info.isDirectory, () => false);
    if (!isFolder && (await attempt(candidate, ["--version"], { signal }))?.success) {
      return candidate;
    }
  }
  throw cannot(
    chosen
      ? `a Python at "${chosen}" but found none; give the program, or the folder of an environment`
      : "Python 3 but found none; install it with `apt-get install python3 python3-venv`",
  );
}

/** Installs the package's sources without running its install script; gives its real folder. */
async function installPackages(folder: string, signal: AbortSignal | undefined): Promise<string> {
  const imports = Object.fromEntries(
    Object.entries(PACKAGES).map(([name, version]) => [name, `npm:${name}@${version}`]),
  );
  const config = { nodeModulesDir: "auto", lock: false, imports };
  await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify(config, undefined, 2));
  const args = ["install", "--quiet", "--config", join(folder, "deno.json")];
  const installed = await attempt(Deno.execPath(), args, { signal });
  if (!installed?.success) {
    throw cannot(
      `npm:${PACKAGE}@${PACKAGES[PACKAGE]} to be installed but received "${
        lastLine(installed?.text ?? "")
      }"; see that the npm registry can be reached`,
    );
  }
  return await Deno.realPath(join(folder, "node_modules", PACKAGE));
}

async function compile(
  compiler: string,
  { folder, packageFolder, tensorflow, signal }: {
    readonly folder: string;
    readonly packageFolder: string;
    readonly tensorflow: Tensorflow;
    readonly signal: AbortSignal | undefined;
  },
): Promise<void> {
  const headers = join(folder, "node_modules", "node-api-headers", "include");
  const addon = join(packageFolder, "lib", "napi-v8", "tfjs_binding.node");
  await Deno.mkdir(dirname(addon), { recursive: true });
  const libraries = Deno.build.os === "linux"
    ? ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"]
    : ["libtensorflow_cc.2.dylib", "libtensorflow_framework.2.dylib"];
  for (const path of [...libraries, "include"]) {
    await Deno.stat(join(tensorflow.folder, path)).catch((cause) => {
      throw cannot(
        `${path} in ${tensorflow.folder} but found none; reinstall TensorFlow 2.15 or newer with pip`,
        cause,
      );
    });
  }
  const built = await attempt(compiler, [
    ...["-O2", "-std=c++17", "-fPIC", "-shared", "-DNAPI_VERSION=8"],
    ...Deno.build.os === "darwin" ? ["-undefined", "dynamic_lookup"] : [],
    ...[headers, packageFolder, join(tensorflow.folder, "include")].map((path) => `-I${path}`),
    ...["tfjs_backend.cc", "tfjs_binding.cc"].map((file) => join(packageFolder, "binding", file)),
    ...libraries.map((library) => join(tensorflow.folder, library)),
    `-Wl,-rpath,${tensorflow.folder}`,
    ...["-o", `${addon}.new`],
  ], { signal });
  if (!built?.success) {
    const error = built?.text.split("\n").find((line) => line.includes("error")) ?? "no output";
    throw cannot(
      `${compiler} to compile ${PACKAGE} against TensorFlow ${tensorflow.version} but received "${error.trim()}"; try another version with --tensorflow, or another compiler with CXX`,
    );
  }
  await Deno.rename(`${addon}.new`, addon); // a process that runs keeps the old one
}

/** Computes with the addon in a process of its own, as a wrong library would end it. */
async function smokeTest(folder: string, signal: AbortSignal | undefined): Promise<string> {
  const script = new URL("native_smoke.ts", import.meta.url);
  const config = fileURLToPath(new URL("../deno.json", import.meta.url));
  const args = ["run", "-A", "--no-check", "--quiet", "--config", config, script.href];
  const run = await attempt(Deno.execPath(), args, { signal, env: { HAARLEM_NATIVE: folder } });
  if (run?.success) return run.output;
  throw cannot(
    `the addon to compute gradients but received "${
      lastLine(run?.text ?? "")
    }"; run \`deno task native --remove\` and build again`,
  );
}
