import { findLibraries, type Tensorflow } from "./find_libraries.ts";
import type { Python } from "./inspect_python.ts";
import { type InstallOptions, installTensorflow } from "./install_tensorflow.ts";

/** Tried with the package, as was 2.15.1: the C API that the addon calls has not changed between. */
const TENSORFLOW = "2.21.0";

/**
 * The TensorFlow of a Python if it is one that is wanted, else one that is installed for us, in an
 * `environment` of its own.
 *
 * @throws {Error} if the Python's TensorFlow cannot be linked with, or none can be installed
 */
export async function provideTensorflow(
  python: Python,
  { version, ...options }: Omit<InstallOptions, "version"> & {
    readonly version: string | undefined;
  },
): Promise<Tensorflow & { readonly environment?: string }> {
  const { tensorflow, cuda } = python;
  const isWanted = tensorflow && (version === undefined || tensorflow.version === version);
  const found = isWanted && (cuda || !options.cuda)
    ? await findLibraries(
      { ...tensorflow, cuda },
      "install TensorFlow 2.15 or newer there with pip, or name another Python with --python",
    )
    : await installTensorflow(python, { ...options, version: version ?? TENSORFLOW });
  options.report(`TensorFlow ${found.version}: ${found.folder}`);
  return found;
}
