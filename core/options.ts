/**
 * Options of parts: validated with whatever schema library the author chose.
 *
 * @module
 */
import type { OptionsSchema } from "./contracts.ts";
import { show } from "./check_plugin.ts";
import { didYouMean } from "./nearest.ts";

/** A JSON Schema, as far as it is read here. */
export interface JsonSchema {
  /** `number`, `object`, ... */
  readonly type?: unknown;
  /** What the option does. */
  readonly description?: string;
  /** What it is if not given. */
  readonly default?: unknown;
  /** Options by name. */
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  /** Whether other names are accepted. */
  readonly additionalProperties?: unknown;
  /** All other keywords of JSON Schema. */
  readonly [keyword: string]: unknown;
}

interface WithJsonSchema {
  readonly jsonSchema?: {
    readonly input: (options: { readonly target: string }) => Record<string, unknown>;
  };
}

/** What a schema accepts, as JSON Schema; undefined if its library cannot tell. */
export function jsonSchemaOf(schema: OptionsSchema): JsonSchema | undefined {
  const { jsonSchema } = schema["~standard"] as WithJsonSchema;
  try {
    const { $schema: _, ...described } = jsonSchema?.input({ target: "draft-2020-12" }) ?? {};
    return jsonSchema && described;
  } catch {
    return undefined; // such as a transformation, which JSON Schema cannot express
  }
}

/**
 * Validates options and fills in their defaults.
 *
 * @param what The part for errors: `loss "pixel"`
 * @throws {RangeError} If a value or a name is not accepted; tells every one of them, with its path.
 * @throws {TypeError} If the schema validates asynchronously.
 */
export function validateOptions(schema: OptionsSchema, options: unknown, what: string): unknown {
  const result = schema["~standard"].validate(options);
  if (result instanceof Promise) {
    throw new TypeError(
      `Cannot use ${what}: expected options that are validated synchronously but received a promise`,
    );
  }
  const unknown = unknownNames(jsonSchemaOf(schema), options);
  const issues = (result.issues ?? [])
    .filter((issue) => !(unknown.length > 0 && isAboutNames(issue)))
    .map(({ message, path = [] }) => {
      const keys = path.map((key) => String(typeof key === "object" ? key.key : key));
      return `${keys.length > 0 ? keys.join(".") : "options"}: ${message}`;
    });
  if (issues.length + unknown.length > 0) {
    throw new RangeError(
      `Cannot use ${what}: expected valid options but received ${show(options)} (${
        [...issues, ...unknown].join("; ")
      })`,
    );
  }
  return (result as { readonly value: unknown }).value;
}

/** Zod's own complaint about names, which {@linkcode unknownNames} makes with a suggestion. */
const isAboutNames = (issue: object) => "code" in issue && issue.code === "unrecognized_keys";

/** Names that no schema mentions. Most libraries drop them, and a misspelt option with them. */
function unknownNames(schema: JsonSchema | undefined, options: unknown, path = ""): string[] {
  const { properties, additionalProperties = false } = schema ?? {};
  if (!properties || additionalProperties !== false) return [];
  if (typeof options !== "object" || options === null || Array.isArray(options)) return [];
  return Object.entries(options).flatMap(([name, value]) => {
    const where = path ? `${path}.${name}` : name;
    const known = Object.keys(properties);
    return Object.hasOwn(properties, name)
      ? unknownNames(properties[name], value, where)
      : [`${where}: unknown option${didYouMean(name, known)}`];
  });
}
