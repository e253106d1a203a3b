/**
 * Looks for OpenVINO's C library: where the caller says, where `HAARLEM_OPENVINO` says, in the
 * active Python environment.
 *
 * @module
 */

/** Name of the library; `pip` installs it with a version behind. */
const FILE: Readonly<Record<string, RegExp>> = {
  windows: /^openvino_c\.dll$/,
  darwin: /^libopenvino_c(?:\.[\d.]+)?\.dylib$/,
  linux: /^libopenvino_c\.so(?:\.[\d.]+)?$/,
};

/** Where it lies below a folder of packages: in the wheel, in an unpacked archive. */
const PLACES = ["", "libs", "openvino/libs", "runtime/lib/intel64", "runtime/bin/intel64/Release"];

/** The library, or the sentence that says how to get it, and whether a place was named for it. */
export type Found = { readonly path: string } | {
  readonly missing: string;
  readonly named: boolean;
};

/** Finds the library; `option` is a file, or a folder of an installation or Python environment. */
export function findOpenvino(option: string | undefined): Found {
  const variable = Deno.env.get("HAARLEM_OPENVINO");
  for (
    const [source, place] of [['the option "openvino"', option], ["HAARLEM_OPENVINO", variable]]
  ) {
    if (!place) continue;
    const path = libraryIn(place);
    return path ? { path } : {
      named: true,
      missing:
        `expected ${source} to name OpenVINO's C library or a folder that holds it but received "${place}"; install it with "pip install openvino"`,
    };
  }
  for (const environment of pythonEnvironments()) {
    const path = libraryIn(environment);
    if (path) return { path };
  }
  return {
    named: false,
    missing:
      `expected OpenVINO in the active Python environment but found none; install it with "pip install openvino", or say where it is by the option "openvino" or HAARLEM_OPENVINO`,
  };
}

/** Prefixes of Python environments: the active one, then that of the first `python3` on the path. */
function* pythonEnvironments(): Generator<string> {
  for (const name of ["VIRTUAL_ENV", "CONDA_PREFIX"]) {
    const prefix = Deno.env.get(name);
    if (prefix) yield prefix;
  }
  const windows = Deno.build.os === "windows";
  const executable = windows ? "python.exe" : "python3";
  const first = (Deno.env.get("PATH") ?? "").split(windows ? ";" : ":")
    .find((folder) => folder && isFile(`${folder}/${executable}`));
  if (first) yield windows ? first : `${first}/..`;
  const home = Deno.env.get("HOME");
  if (home) yield `${home}/.local`; // pip install --user
}

function libraryIn(place: string): string | undefined {
  if (isFile(place)) return place;
  const pythons = namesIn(`${place}/lib`).filter((name) => /^python3/.test(name))
    .flatMap((name) => [`lib/${name}/site-packages`, `lib/${name}/dist-packages`]);
  for (const root of ["", "lib", "Lib/site-packages", ...pythons]) {
    for (const below of PLACES) {
      const folder = [place, root, below].filter(Boolean).join("/");
      const name = namesIn(folder).find((name) => FILE[Deno.build.os]?.test(name));
      if (name) return `${folder}/${name}`;
    }
  }
  return undefined;
}

function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return [];
    }
    throw error;
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}
