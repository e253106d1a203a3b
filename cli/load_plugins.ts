import { pathToFileURL } from "node:url";
import { type Plugin, prepareCharts, type Registry } from "../mod.ts";
import { type Context, type Options, UsageError } from "./command.ts";
import { refusalOf } from "./refusal.ts";

/** The option of every command that looks parts up. */
export const PLUGIN_OPTIONS = {
  plugin: {
    type: "texts",
    value: "SPEC",
    help: "add a plugin's parts: ./file.ts, npm:name or jsr:@scope/name; its code is run",
  },
} as const satisfies Options;

/** The file of one's own whose plugins are always loaded, in the folder of the command. */
const OWN_CONFIG = "haarlem.config.ts";

const DOCS = "docs/plugins.md says what plugins may do";

/** What stands in a user's way, as wrong usage. */
function refuse(error: unknown, what: string, from: string): UsageError {
  const reason = error instanceof Error ? error.message : String(error);
  const refusal = refusalOf(reason);
  const message = refusal
    ? `Cannot load ${what}: expected code that does not ${refusal.deed} but received "${refusal.access}"; ${DOCS}`
    : reason.startsWith("Cannot ")
    ? `${reason} (${from})`
    : `Cannot load ${what}: expected a module that exports one but received "${reason}"`;
  return new UsageError(message, { cause: error });
}

async function importDefault(spec: string): Promise<unknown> {
  const url = /^(?:npm|jsr|https?|file|data):/.test(spec) ? spec : pathToFileURL(spec).href;
  return (await import(url) as { readonly default?: unknown }).default;
}

function pluginsOf(config: unknown): readonly Plugin[] {
  const { plugins } = (config ?? {}) as { readonly plugins?: unknown };
  if (Array.isArray(plugins)) return plugins;
  throw new TypeError(
    `Cannot use ${OWN_CONFIG}: expected a default export made by defineConfig() but received ${
      JSON.stringify(config) ?? typeof config
    }`,
  );
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Imports plugins and adds their parts. Only what the user names here or in `haarlem.config.ts` is
 * run, whatever a config says, and not before the process has given up what plugins must not have.
 *
 * @param prepare Opens what needs it: engines, native libraries, processes.
 * @returns What was loaded, as a configuration records it.
 * @throws {UsageError} If a plugin cannot be imported, or is none.
 */
export async function loadPlugins(
  registry: Registry,
  specs: readonly string[],
  { confine }: Pick<Context, "confine">,
  prepare: (options: { readonly confined: true }) => Promise<unknown> = () => Promise.resolve(),
): Promise<string[]> {
  const own = await isFile(OWN_CONFIG);
  if (!own && specs.length === 0) return [];
  await Promise.all([prepare({ confined: true }), prepareCharts()]);
  await confine();
  if (own) {
    try {
      for (const plugin of pluginsOf(await importDefault(OWN_CONFIG))) registry.use(plugin);
    } catch (error) {
      throw refuse(error, `the plugins of ${OWN_CONFIG}`, OWN_CONFIG);
    }
  }
  for (const spec of specs) {
    try {
      registry.use(await importDefault(spec) as Plugin); // refuses what is no plugin
    } catch (error) {
      throw refuse(error, `the plugin "${spec}"`, `--plugin ${spec}`);
    }
  }
  return [...own ? [`./${OWN_CONFIG}`] : [], ...specs];
}
