import { join } from "node:path";
import { refusal } from "./refusal.ts";

/** A TensorFlow that the addon can be linked with. */
export interface Tensorflow {
  readonly version: string;
  /** The folder of the Python package. */
  readonly folder: string;
  readonly cuda: boolean;
  /** Paths of its shared libraries. */
  readonly libraries: readonly string[];
}

const NAMES = Deno.build.os === "darwin"
  ? ["libtensorflow_cc.2.dylib", "libtensorflow_framework.2.dylib"]
  : ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"];

/**
 * Looks for what the addon is compiled with in a TensorFlow.
 *
 * @throws {Error} if headers or libraries are missing, as in TensorFlow before 2.15 and in packages
 *   of others
 */
export async function findLibraries(
  found: { readonly version: string; readonly folder: string; readonly cuda: boolean },
  remedy: string,
): Promise<Tensorflow> {
  for (const name of [...NAMES, "include"]) {
    await Deno.stat(join(found.folder, name)).catch((cause) => {
      throw refusal(
        `${name} in TensorFlow ${found.version} but found none in ${found.folder}; ${remedy}`,
        cause,
      );
    });
  }
  return { ...found, libraries: NAMES.map((name) => join(found.folder, name)) };
}
