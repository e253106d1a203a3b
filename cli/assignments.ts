import { UsageError } from "./command.ts";
import { nearest } from "./nearest.ts";

/** A value of JSON. */
export type Json = null | boolean | number | string | readonly Json[] | {
  readonly [key: string]: Json;
};

function parseValue(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

type JsonObject = { readonly [key: string]: Json };

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What is assigned, and how to say that its path leads nowhere. */
interface Assignment {
  readonly value: Json;
  fail(rule: string): UsageError;
}

/** Sets the value below `at`; `full` is the same place with every default filled in. */
function setAt(
  [at, full]: readonly [Json | undefined, Json | undefined],
  [key, ...rest]: readonly string[],
  assignment: Assignment,
): Json {
  if (key === undefined) return assignment.value;
  if (Array.isArray(at)) {
    const index = Number(key);
    if (!/^\d+$/.test(key) || index > at.length) {
      throw assignment.fail(`an index from 0 to ${at.length} but received "${key}"`);
    }
    const inner = Array.isArray(full) ? full[index] as Json : undefined;
    const copy: Json[] = [...at];
    copy[index] = setAt([at[index], inner], rest, assignment);
    return copy;
  }
  if (at !== undefined && !isObject(at)) {
    throw assignment.fail(`an object before "${key}" but received ${JSON.stringify(at)}`);
  }
  const known = { ...isObject(full) ? full : {}, ...at };
  if (!Object.hasOwn(known, key)) {
    const meant = nearest(key, Object.keys(known));
    if (meant) throw assignment.fail(`a known key but received "${key}"; did you mean "${meant}"?`);
  }
  const inner = isObject(full) ? full[key] : undefined;
  return { ...at, [key]: setAt([at?.[key] ?? inner, inner], rest, assignment) };
}

/**
 * Sets values of a config by their paths: `losses.0.weight=0.5`, `student.upscale.name=bilinear`.
 *
 * The value is read as JSON, and as text where it is none. The config is not changed.
 *
 * @param full The config with its defaults filled in: keys that the config may leave out are known.
 * @throws {UsageError} If an assignment has no `=`, or its path leads nowhere.
 */
export function assign(config: Json, assignments: readonly string[], full: Json = config): Json {
  return assignments.reduce((current, text) => {
    const equals = text.indexOf("=");
    if (equals < 1) {
      throw new UsageError(`Cannot read --set: expected "path=value" but received "${text}"`);
    }
    const path = text.slice(0, equals);
    return setAt([current, full], path.split("."), {
      value: parseValue(text.slice(equals + 1)),
      fail: (rule) => new UsageError(`Cannot set "${path}": expected ${rule}`),
    });
  }, config);
}
