/**
 * The registry: parts by kind and name. Its type grows with every plugin, so that names complete and
 * options are checked while they are typed.
 *
 * @module
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { type AnyPart, partsOf, show } from "./check_plugin.ts";
import type { OptionsSchema, PartChoice, PartKind, PartKinds, Plugin } from "./contracts.ts";
import { didYouMean } from "./nearest.ts";
import { type JsonSchema, jsonSchemaOf, validateOptions } from "./options.ts";

export type { AnyPart, JsonSchema };

/** The lists of a plugin: `upscales`, `convs`, ... */
export type ListName = Exclude<keyof Plugin, "name" | "version">;

/** The parts that a plugin holds, as a union. */
export type PartsOf<P extends Plugin> = {
  [List in ListName]: P[List] extends readonly (infer Part extends AnyPart)[] ? Part : never;
}[ListName];

/** How a part of one kind is chosen: a union of `{ name, options? }`. */
export type ChoiceOf<Part extends AnyPart, Kind extends PartKind> = Part extends
  { readonly kind: Kind; readonly name: infer Name; readonly options: infer Schema } ? {
    readonly name: Name;
    readonly options?: Schema extends OptionsSchema ? StandardSchemaV1.InferInput<Schema> : never;
  }
  : never;

/** The part of that kind and name among the parts of a registry. */
export type PartNamed<Part extends AnyPart, Kind extends PartKind, Name> = Extract<
  Part,
  { readonly kind: Kind; readonly name: Name }
>;

/** The part of that kind and name, and its options after validation. */
export interface ResolvedPart<Part extends AnyPart, Kind extends PartKind, Name> {
  /** The part. `PartKinds[Kind]` only shows the compiler that a registry is a `PartSource`. */
  readonly part: PartNamed<Part, Kind, Name> & PartKinds[Kind];
  /** Its options with defaults filled in. */
  readonly options: StandardSchemaV1.InferOutput<PartNamed<Part, Kind, Name>["options"]>;
}

/** One line of a list of everything that is registered. */
export interface Listed {
  /** What it is: `upscale`, `loss`, ... */
  readonly kind: PartKind;
  /** Its name in configs. */
  readonly name: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** Where its formula comes from. */
  readonly source: string;
  /** Name of the plugin that it came with. */
  readonly plugin: string;
  /** What its options may be; absent if the author's schema library cannot tell. */
  readonly options?: JsonSchema;
}

/**
 * Parts by kind and name, from the built-in plugin and those added by `use`.
 *
 * `Part` is the union of what is known to the compiler. Networks take a registry as a `PartSource`,
 * through which names are plain strings, as in a config read from disk.
 */
export interface Registry<Part extends AnyPart = AnyPart> {
  /** The plugins in the order of their use. */
  readonly plugins: readonly Plugin[];
  /**
   * Adds a plugin, all of its parts or none, and returns this registry with the type that knows
   * them. Adding the same value again does nothing.
   *
   * @throws {TypeError} If the plugin does not fill its contract, or a name is taken.
   */
  use<const P extends Plugin>(plugin: P): Registry<Part | PartsOf<P>>;
  /**
   * The part of that name with validated options.
   *
   * @throws {RangeError} If the name is not known, or an option is not valid.
   */
  resolve<Kind extends PartKind, const Choice extends ChoiceOf<Part, Kind>>(
    kind: Kind,
    choice: Choice,
  ): ResolvedPart<Part, Kind, Choice["name"]>;
  /** Everything that is registered, of one kind or of all. */
  list(kind?: PartKind): Listed[];
}

interface Entry {
  readonly part: AnyPart;
  readonly plugin: Plugin;
}

/** Makes a registry of one plugin, whose parts alone may have names without a slash. */
export function createRegistryOf<const P extends Plugin>(builtin: P): Registry<PartsOf<P>> {
  const plugins: Plugin[] = [];
  const entries = new Map<string, Entry>();
  const keyOf = (kind: PartKind, name: string) => `${kind} ${name}`;

  const add = (plugin: Plugin, prefixed: boolean): void => {
    if (plugins.includes(plugin)) return;
    const added = new Map<string, Entry>();
    for (const part of partsOf(plugin, prefixed)) {
      const key = keyOf(part.kind, part.name);
      const taken = entries.get(key) ?? added.get(key);
      if (taken) {
        throw new TypeError(
          `Cannot add ${part.kind} "${part.name}" of ${titleOf(plugin)}: ${
            titleOf(taken.plugin)
          } already has it`,
        );
      }
      added.set(key, { part, plugin });
    }
    for (const [key, entry] of added) entries.set(key, entry);
    plugins.push(plugin);
  };

  const resolve = (kind: PartKind, choice: PartChoice) => {
    const { name, options = {} } = checkChoice(kind, choice);
    const entry = entries.get(keyOf(kind, name));
    if (!entry) {
      const known = list(kind).map(({ name }) => name);
      const owner = ownerOf(name);
      if (owner !== undefined && !plugins.some(({ name }) => name === owner)) {
        throw new MissingPluginError(
          `Cannot find ${kind} "${name}": expected the plugin "${owner}" to be loaded but received only ${
            plugins.map(({ name }) => `"${name}"`).join(", ")
          }; give it by --plugin, or by use() in code${didYouMean(name, known)}`,
          owner,
        );
      }
      throw new RangeError(
        `Cannot find ${kind} ${show(name)}: known names are ${
          known.map((name) => `"${name}"`).join(", ") || "none"
        }${didYouMean(name, known)}`,
      );
    }
    const { part } = entry;
    return { part, options: validateOptions(part.options, options, `${kind} "${name}"`) };
  };

  const list = (kind?: PartKind): Listed[] =>
    [...entries.values()]
      .filter(({ part }) => kind === undefined || part.kind === kind)
      .map(({ part, plugin }) => {
        const { kind, name, summary, source } = part;
        const options = jsonSchemaOf(part.options);
        const listed = { kind, name, summary, source, plugin: plugin.name };
        return options ? { ...listed, options } : listed;
      });

  add(builtin, false);
  const registry = {
    plugins,
    use(plugin: Plugin) {
      add(plugin, true);
      return registry;
    },
    resolve,
    list,
  };
  return registry as unknown as Registry<PartsOf<P>>;
}

/** A name belongs to a plugin that is not loaded. */
export class MissingPluginError extends RangeError {
  override readonly name = "RangeError";
  /** `plugin`: its name. */
  constructor(message: string, readonly plugin: string) {
    super(message);
  }
}

/** The plugin that a part's name starts with. */
function ownerOf(name: string): string | undefined {
  return /^([a-z][a-z0-9_-]*)\/./.exec(name)?.[1];
}

function titleOf({ name, version }: Plugin): string {
  return `plugin "${name}"${version ? ` ${version}` : ""}`;
}

/** Configs come from JSON: a choice may be anything. */
function checkChoice(kind: PartKind, choice: unknown): PartChoice {
  const { name, options } = (choice ?? {}) as Record<string, unknown>;
  const isValid = typeof name === "string" &&
    (options === undefined || (typeof options === "object" && options !== null));
  if (!isValid) {
    throw new TypeError(
      `Cannot choose ${
        kind === "upscale" ? "an" : "a"
      } ${kind}: expected { "name": ..., "options": { ... } } but received ${show(choice)}`,
    );
  }
  return choice as PartChoice;
}
