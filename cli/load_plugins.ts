import { pathToFileURL } from "node:url";
import type { Plugin, Registry } from "../mod.ts";
import { type Options, UsageError } from "./command.ts";

/** The option of every command that looks parts up. */
export const PLUGIN_OPTIONS = {
  plugin: {
    type: "texts",
    value: "SPEC",
    help: "add a plugin's parts: ./file.ts, npm:name or jsr:@scope/name; its code is run",
  },
} as const satisfies Options;

/**
 * Imports plugins and adds their parts. Only what the user names here is run, whatever a config says.
 *
 * @throws {UsageError} If a plugin cannot be imported, or is none.
 */
export async function loadPlugins(registry: Registry, specs: readonly string[]): Promise<void> {
  for (const spec of specs) {
    const url = /^(?:npm|jsr|https?|file|data):/.test(spec) ? spec : pathToFileURL(spec).href;
    try {
      const { default: plugin } = await import(url) as { readonly default?: Plugin };
      registry.use(plugin!); // refuses what is no plugin
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new UsageError(
        reason.startsWith("Cannot ")
          ? `${reason} (--plugin ${spec})`
          : `Cannot load the plugin "${spec}": expected a module that exports one but received "${reason}"`,
        { cause: error },
      );
    }
  }
}
