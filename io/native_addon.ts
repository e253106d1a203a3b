/**
 * Builds the native backend of TensorFlow.js: the addon of `npm:@tensorflow/tfjs-node-gpu` from the
 * C++ source in that package, against the TensorFlow that pip installs. The package's own install
 * script fetches TensorFlow 2.9 for CUDA 11.2 instead.
 *
 * @module
 */
import { basename, join } from "node:path";
import { findNativeAddon, type NativeAddon, nativeFolder } from "../engine/native.ts";
import { messageOf, quote } from "./describe.ts";
import { lockFolder } from "./folder_lock.ts";
import { checkPlatform } from "./native/check_platform.ts";
import { compileAddon } from "./native/compile_addon.ts";
import { findCompiler } from "./native/find_compiler.ts";
import { findGpu } from "./native/find_gpu.ts";
import { findPython } from "./native/find_python.ts";
import { installSources } from "./native/install_sources.ts";
import { provideTensorflow } from "./native/provide_tensorflow.ts";
import { refusal } from "./native/refusal.ts";
import { smokeTest } from "./native/smoke_test.ts";

/** Options of {@linkcode buildNativeAddon}. */
export interface NativeAddonOptions {
  /** Build against a TensorFlow that can use CUDA: `tensorflow[and-cuda]`. */
  readonly cuda?: boolean;
  /** Version of TensorFlow; default: that of the Python if it has one, else one that was tried. */
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

/** What a folder holds besides the lock: `BUILD` and the environments are whole folders. */
const DESCRIPTION = "native.json";
const BUILD = "build-";
const OURS = /^(?:native\.json|build-\w+|venv-[\w.-]+)$/;

/**
 * Builds the addon, after which the engine `tfjs` uses it. Safe to run again, and after a run that
 * was interrupted anywhere.
 *
 * Installs the package and Node's headers beside the addon; installs TensorFlow into an environment
 * of its own if the active one has none; compiles; and has a new process compute gradients with the
 * result and compare them with TensorFlow.js in JavaScript. Until then the addon that was there
 * stays in use.
 *
 * @returns What was built.
 * @throws {Error} If Python, pip, a compiler, a driver, the network or the platform is missing, or a
 *   step fails; each with its remedy.
 */
export async function buildNativeAddon(options: NativeAddonOptions = {}): Promise<NativeAddon> {
  const { folder = nativeFolder(), cuda = false } = options;
  checkPlatform(Deno.build, cuda);
  await makeFolder(folder);
  using _lock = lockNative(folder);
  const earlier = findNativeAddon(folder);
  // What a run left that was killed; environments that are not whole are made anew where needed.
  await removeAll(
    folder,
    (name) => name.startsWith(BUILD) && !earlier?.package.includes(`/${name}/`),
  );
  const build = await Deno.makeTempDir({ dir: folder, prefix: BUILD });
  await Deno.chmod(build, 0o755); // for every user of a shared installation
  try {
    const { addon, keep } = await buildIn(build, { ...options, folder, cuda });
    await Deno.rename(join(build, DESCRIPTION), join(folder, DESCRIPTION));
    await removeAll(folder, (name) => ![DESCRIPTION, ...keep].includes(name));
    return addon;
  } catch (error) {
    await Deno.remove(build, { recursive: true });
    throw error;
  }
}

/** Removes the addon and everything that was installed for it; says whether there was anything. */
export async function removeNativeAddon(folder: string = nativeFolder()): Promise<boolean> {
  if (!await Deno.stat(folder).then(() => true, () => false)) return false;
  let removed: boolean;
  {
    using _lock = lockNative(folder);
    removed = await removeAll(folder, () => true);
  }
  await Deno.remove(folder).catch(() => {}); // something else lies in it
  return removed;
}

/** Builds and tests the addon; `keep` names what of the folder it needs. */
async function buildIn(
  build: string,
  options: NativeAddonOptions & { readonly folder: string; readonly cuda: boolean },
): Promise<{ readonly addon: NativeAddon; readonly keep: readonly string[] }> {
  const { folder, cuda, signal, report = () => {} } = options;
  const compiler = await findCompiler(build, signal);
  report(`compiler: ${compiler.version}`);
  if (cuda) report(`GPU: ${await findGpu(signal)}`);
  const python = await findPython(options.python, signal);
  report(`Python ${python.version}: ${python.program}`);
  const sources = await installSources(build, signal);
  report(`source: ${sources.name} in ${sources.folder}`);
  const wanted = { folder, version: options.tensorflow, cuda, report, signal };
  const tensorflow = await provideTensorflow(python, wanted);
  const start = performance.now();
  await compileAddon(compiler, { sources, tensorflow, signal });
  report(`built in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  const addon: NativeAddon = {
    package: sources.folder,
    tensorflow: tensorflow.version,
    cuda: tensorflow.cuda,
  };
  await Deno.writeTextFile(join(build, DESCRIPTION), JSON.stringify(addon));
  const device = cuda ? "cuda" : tensorflow.cuda ? "auto" : "cpu";
  report(`smoke test: ${await smokeTest(build, { device, signal })}`);
  const { environment } = tensorflow;
  return { addon, keep: [basename(build), ...environment ? [basename(environment)] : []] };
}

function lockNative(folder: string): Disposable {
  return lockFolder(folder, (owner) =>
    new Error(
      `Cannot change the native TensorFlow addon: expected no other process to do so but received ${owner}; wait for it to end`,
    ));
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (cause) {
    throw refusal(
      `a folder to build in but received ${
        quote(messageOf(cause))
      }; name another in HAARLEM_NATIVE`,
      cause,
    );
  }
}

/** Removes what is ours and chosen; the folder may be one that the user has named. */
async function removeAll(folder: string, isChosen: (name: string) => boolean): Promise<boolean> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  const chosen = entries.filter(({ name }) => OURS.test(name) && isChosen(name));
  // The description first: the engine finds either a whole addon or none.
  chosen.sort((a, b) => Number(b.name === DESCRIPTION) - Number(a.name === DESCRIPTION));
  for (const { name } of chosen) await Deno.remove(join(folder, name), { recursive: true });
  return chosen.length > 0;
}
