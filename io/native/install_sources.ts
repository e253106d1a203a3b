import { join } from "node:path";
import { quote } from "../describe.ts";
import { refusal } from "./refusal.ts";
import { runProgram } from "./run_program.ts";

/** Where the addon's sources and Node's headers are. */
export interface Sources {
  /** Name and version of the package. */
  readonly name: string;
  /** The package's own folder. */
  readonly folder: string;
  /** Node's headers. */
  readonly headers: string;
}

const PACKAGE = "@tensorflow/tfjs-node-gpu";
const HEADERS = "node-api-headers";
const VERSIONS = { [PACKAGE]: "4.22.0", [HEADERS]: "1.9.0" };

/**
 * Installs the package's sources, without running its install script, and Node's headers in `folder`.
 *
 * @throws {Error} if npm's registry cannot be reached and Deno's cache has not got them
 */
export async function installSources(
  folder: string,
  signal: AbortSignal | undefined,
): Promise<Sources> {
  const imports = Object.fromEntries(
    Object.entries(VERSIONS).map(([name, version]) => [name, `npm:${name}@${version}`]),
  );
  const config = join(folder, "deno.json");
  const settings = { nodeModulesDir: "auto", lock: false, imports };
  await Deno.writeTextFile(config, JSON.stringify(settings, undefined, 2));
  const args = ["install", "--quiet", "--config", config];
  const installed = await runProgram(Deno.execPath(), args, { signal });
  if (!installed?.success) {
    const text = installed?.text.replace(/^error: /, "") ?? "";
    const [, address] = /^Failed loading (\S+) for package/.exec(text) ?? [];
    throw refusal(
      `the sources and Node's headers from npm (${
        Object.entries(VERSIONS).map(([name, version]) => `${name}@${version}`).join(", ")
      }) but ${
        address ? `could not load ${address}` : `received ${quote(text.split("\n")[0]!)}`
      }; check the network and the registry that NPM_CONFIG_REGISTRY or .npmrc names`,
    );
  }
  const modules = join(folder, "node_modules");
  return {
    name: `${PACKAGE} ${VERSIONS[PACKAGE]}`,
    folder: await Deno.realPath(join(modules, PACKAGE)),
    headers: join(modules, HEADERS, "include"),
  };
}
