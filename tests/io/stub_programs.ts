/** Programs of a machine on which something is missing: shell scripts on a path of their own. */
import { join } from "node:path";

/** Runs a test with these programs as the whole path, and with these variables. */
export async function withPrograms<T>(
  programs: Readonly<Record<string, string>>,
  variables: Readonly<Record<string, string>>,
  test: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-native-" });
  const path = join(folder, "path");
  await Deno.mkdir(path);
  for (const [name, script] of Object.entries(programs)) {
    const lines = ["#!/bin/sh", "PATH=/usr/bin:/bin", script, ""];
    await Deno.writeTextFile(join(path, name), lines.join("\n"), { mode: 0o755 });
  }
  const settings = { PATH: path, VIRTUAL_ENV: "", CXX: "", ...variables };
  const before = Object.keys(settings).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(settings)) Deno.env.set(name, value);
  try {
    return await test(join(folder, "native"));
  } finally {
    for (const [name, value] of before) {
      value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
    }
    await Deno.remove(folder, { recursive: true });
  }
}

/** What a Python says of itself; see `io/native/inspect_python.ts`. */
export const FACTS = {
  version: "3.11.2",
  bits: 64,
  platform: `linux-${Deno.build.arch}`,
  venv: true,
  tensorflow: null,
  cuda: false,
};

/**
 * A Python: `facts` is what it says of itself, and of the environments that it makes once there is a
 * TensorFlow in them; `pip` is what installing does, in the folder of the environment.
 */
export function stubPython(facts: Readonly<Record<string, unknown>>, pip = "exit 1"): string {
  const installed = { ...FACTS, tensorflow: { version: "2.21.0", folder: "FOLDER" } };
  return `
here=$(dirname "$(dirname "$0")")
case "$*" in
  -c*) if [ -d "$here/tensorflow" ]; then echo '${
    JSON.stringify(installed)
  }' | sed "s|FOLDER|$here/tensorflow|"; else echo '${JSON.stringify(facts)}'; fi ;;
  "-m venv --clear "*) rm -rf "$4"; mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; echo venv >> "$4.log" ;;
  "-m pip install "*) cd "$here" && { ${pip}
  } ;;
  *) exit 2 ;;
esac`;
}
