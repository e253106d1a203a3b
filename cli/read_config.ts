import { assign, type Json } from "./assignments.ts";
import { type Options, UsageError } from "./command.ts";
import { nearest } from "./nearest.ts";

/** Options of every command that starts from a configuration. */
export const CONFIG_OPTIONS = {
  preset: { type: "text", value: "NAME", help: "configuration of this project" },
  config: { type: "text", value: "FILE", help: "configuration of yours, as JSON" },
  set: {
    type: "texts",
    value: "PATH=VALUE",
    help: "change one value of it: losses.0.weight=0.5, student.head.name=skip",
  },
} as const satisfies Options;

/** Runs a function whose errors are the user's: they become wrong usage. */
export function asUsage<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof UsageError || !(error instanceof Error)) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}

async function readJson(path: string): Promise<Json> {
  try {
    return JSON.parse(await Deno.readTextFile(path)) as Json;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `Cannot read --config "${path}": expected a file of JSON but received "${reason}"`,
      { cause: error },
    );
  }
}

/** Picks a preset by its name. */
export function presetOf<Preset>(
  presets: Readonly<Record<string, Preset>>,
  name: string,
): Preset {
  if (Object.hasOwn(presets, name)) return presets[name]!;
  const known = Object.keys(presets);
  const meant = nearest(name, known);
  throw new UsageError(
    `Cannot find preset "${name}": known presets are ${known.map((one) => `"${one}"`).join(", ")}${
      meant ? `; did you mean "${meant}"?` : ""
    }`,
  );
}

/** The configuration that the options describe, before it is validated. */
export async function readConfig(
  { preset, config, set }: {
    readonly preset: string | undefined;
    readonly config: string | undefined;
    readonly set: readonly string[];
  },
  { presets, defaultPreset, complete }: {
    readonly presets: Readonly<Record<string, unknown>>;
    readonly defaultPreset: string;
    /** Fills in the defaults, so that the keys of `--set` are known. */
    complete(config: Json): Json;
  },
): Promise<Json> {
  if (preset !== undefined && config !== undefined) {
    throw new UsageError(
      `Cannot use --preset "${preset}" with --config "${config}": expected one of them`,
    );
  }
  const base = config === undefined
    ? presetOf(presets, preset ?? defaultPreset) as Json
    : await readJson(config);
  return set.length === 0 ? base : assign(base, set, asUsage(() => complete(base)));
}
