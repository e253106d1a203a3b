import { runProgram } from "./run_program.ts";

/** A Python, and what is installed in it. */
export interface Python {
  readonly program: string;
  /** Its version, for instance "3.11.2". */
  readonly version: string;
  /** What it was built for, for instance "linux-x86_64". */
  readonly platform: string;
  readonly bits: number;
  /** Whether it can make environments with pip in them: Debian packs these two apart. */
  readonly venv: boolean;
  /** Its TensorFlow's version and the folder of the package, if both are there. */
  readonly tensorflow: { readonly version: string; readonly folder: string } | null;
  /** Whether NVIDIA's libraries are there. */
  readonly cuda: boolean;
}

/** Tells of TensorFlow without importing it, which takes seconds. Any Python can read it. */
const PROBE = `
import json, sys
facts = {"version": "%d.%d.%d" % sys.version_info[:3], "bits": 64 if sys.maxsize > 2**32 else 32}
def there(name):
    try: return importlib.util.find_spec(name)
    except ImportError: return None
def installed():
    for name in ("tensorflow", "tensorflow-cpu", "tensorflow-cpu-aws"):
        try: return metadata.version(name)
        except metadata.PackageNotFoundError: pass
try:
    import importlib.util, sysconfig
    from importlib import metadata
    spec, version = there("tensorflow"), installed()
    folders = list(spec and spec.submodule_search_locations or [])
    facts["tensorflow"] = {"version": version, "folder": folders[0]} if version and folders else None
    facts["cuda"] = bool(there("nvidia") and there("nvidia.cudnn"))
    facts["venv"] = bool(there("venv") and there("ensurepip"))
    facts["platform"] = sysconfig.get_platform()
except ImportError: pass
print(json.dumps(facts))`;

/**
 * Asks a program what Python it is; gives what it said instead if it is none, and `undefined` if
 * there is no such program.
 */
export async function inspectPython(
  program: string,
  signal: AbortSignal | undefined,
): Promise<Python | string | undefined> {
  const found = await runProgram(program, ["-c", PROBE], { signal });
  if (!found?.success) return found?.text;
  try {
    return { program, ...JSON.parse(found.output) };
  } catch {
    return found.text;
  }
}
