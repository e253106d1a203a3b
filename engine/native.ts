/**
 * The native TensorFlow backend of TensorFlow.js: the addon that `deno task native` builds from the
 * C++ source in `npm:@tensorflow/tfjs-node-gpu` (docs/devices.md). Loaded only when asked for.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import util from "node:util";
import type { EagerBackend } from "./tfjs.ts";
import { threadWords } from "./thread_words.ts";

/** What was built: `native.json` in the {@linkcode nativeFolder}. */
export interface NativeAddon {
  /** The folder of `@tensorflow/tfjs-node-gpu` whose addon was built. */
  readonly package: string;
  /** Version of the TensorFlow that the addon calls. */
  readonly tensorflow: string;
  /** Whether that TensorFlow can use CUDA. */
  readonly cuda: boolean;
}

/** The name under which the package registers its backend. */
const BACKEND = "tensorflow";

/** Where the addon lives: the variable `HAARLEM_NATIVE`, else `.cache/native` beside the sources. */
export function nativeFolder(): string {
  const chosen = Deno.env.get("HAARLEM_NATIVE");
  if (chosen) return chosen;
  const beside = new URL("../.cache/native", import.meta.url);
  return beside.protocol === "file:" ? fileURLToPath(beside) : `${Deno.cwd()}/.cache/native`;
}

/** What was built in a folder, if anything was. */
export function findNativeAddon(folder: string = nativeFolder()): NativeAddon | undefined {
  const require = createRequire(import.meta.url);
  const file = `${folder}/native.json`;
  try {
    return require(file);
  } catch {
    return undefined; // not built
  } finally {
    delete require.cache[file]; // it may be built while the process runs
  }
}

/** What loading the addon needs to know. */
export interface NativeOptions {
  readonly device: "cpu" | "cuda";
  readonly threads: number;
}

/**
 * Loads the addon and registers its backend. TensorFlow reads its settings once: a second call in one
 * process keeps the first one's threads and device.
 *
 * @throws {Error} If CUDA is asked for and the addon, its TensorFlow or the machine has none.
 */
export async function loadNativeBackend(
  addon: NativeAddon | undefined,
  { device, threads }: NativeOptions,
): Promise<EagerBackend> {
  const wants = 'Cannot create the engine "tfjs" on "cuda": expected';
  if (!addon) {
    throw new Error(
      `${wants} the native TensorFlow addon but it is not built; run \`deno task native --cuda\``,
    );
  }
  const { tensorflow } = addon;
  if (device === "cuda" && !addon.cuda) {
    throw new Error(
      `${wants} a TensorFlow with CUDA but the native addon was built against TensorFlow ${tensorflow} without it; run \`deno task native --cuda\``,
    );
  }
  if (!(BACKEND in tf.engine().registryFactory)) {
    prepareEnvironment({ device, threads });
    await register(addon);
  }
  const { isUsingGpuDevice } = tf.findBackend(BACKEND) as unknown as {
    readonly isUsingGpuDevice: boolean;
  };
  if (device === "cuda" && !isUsingGpuDevice) {
    throw new Error(
      `${wants} a GPU but TensorFlow ${tensorflow} finds none; see that \`nvidia-smi\` lists one, and that this process has not used the native addon on the CPU before`,
    );
  }
  const where = isUsingGpuDevice ? "a CUDA GPU" : "the CPU";
  return {
    name: BACKEND,
    device: isUsingGpuDevice ? "cuda" : "cpu",
    threads,
    description:
      `TensorFlow.js ${tf.version_core} on native TensorFlow ${tensorflow} on ${where}, eager, ${
        threadWords(threads)
      }`,
  };
}

/** TensorFlow reads these when it is loaded; what the user has set stays. */
function prepareEnvironment({ device, threads }: NativeOptions): void {
  const settings: Record<string, string> = {
    TF_CPP_MIN_LOG_LEVEL: "3",
    TF_NUM_INTRAOP_THREADS: String(threads),
    // The engine promises float32, which NVIDIA's libraries would round to 10 bits in products.
    ...device === "cpu" ? { CUDA_VISIBLE_DEVICES: "-1" } : { NVIDIA_TF32_OVERRIDE: "0" },
  };
  for (const [name, value] of Object.entries(settings)) {
    if (Deno.env.get(name) === undefined) Deno.env.set(name, value);
  }
}

/** Makes the package run on this process's own TensorFlow.js, and loads it. */
async function register(addon: NativeAddon): Promise<void> {
  // Node 23 removed it, and Deno never had it; tfjs-node 4.22 calls it in every constructor of tensors.
  (util as unknown as Record<string, unknown>)["isNullOrUndefined"] ??= (value: unknown) =>
    value === undefined || value === null;
  const entry = `${addon.package}/dist/index.js`;
  const require = createRequire(pathToFileURL(entry));
  const theirs = require.resolve("@tensorflow/tfjs");
  // A second copy of TensorFlow.js would register the backend with itself instead of with ours.
  const { default: exports } = tf as unknown as { readonly default: unknown };
  require.cache[theirs] = {
    id: theirs,
    filename: theirs,
    loaded: true,
    children: [],
    paths: [],
    exports,
  } as unknown as NonNullable<typeof require.cache[string]>;
  require(entry); // makes itself the current backend
  await tf.setBackend("cpu");
}
