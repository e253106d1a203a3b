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

function setAt(
  at: Json | undefined,
  keys: readonly string[],
  value: Json,
  fail: (rule: string) => UsageError,
): Json {
  const [key, ...rest] = keys;
  if (key === undefined) return value;
  if (Array.isArray(at)) {
    const index = Number(key);
    if (!/^\d+$/.test(key) || index > at.length) {
      throw fail(`an index from 0 to ${at.length} but received "${key}"`);
    }
    const copy = [...at];
    copy[index] = setAt(at[index], rest, value, fail);
    return copy;
  }
  if (typeof at !== "object" || at === null) {
    if (at !== undefined) {
      throw fail(`an object before "${key}" but received ${JSON.stringify(at)}`);
    }
    return { [key]: setAt(undefined, rest, value, fail) };
  }
  const object = at as { readonly [key: string]: Json };
  const known = Object.keys(object);
  if (!Object.hasOwn(object, key) && rest.length > 0) {
    const meant = nearest(key, known);
    if (meant) throw fail(`a known key but received "${key}"; did you mean "${meant}"?`);
  }
  return { ...object, [key]: setAt(object[key], rest, value, fail) };
}

/**
 * Sets values of a config by their paths: `losses.0.weight=0.5`, `student.upscale.name=bilinear`.
 *
 * The value is read as JSON, and as text where it is none. The config is not changed.
 *
 * @throws {UsageError} If an assignment has no `=`, or its path leads nowhere.
 */
export function assign(config: Json, assignments: readonly string[]): Json {
  return assignments.reduce((current, assignment) => {
    const equals = assignment.indexOf("=");
    if (equals < 1) {
      throw new UsageError(
        `Cannot read --set: expected "path=value" but received "${assignment}"`,
      );
    }
    const path = assignment.slice(0, equals);
    const fail = (rule: string) => new UsageError(`Cannot set "${path}": expected ${rule}`);
    return setAt(current, path.split("."), parseValue(assignment.slice(equals + 1)), fail);
  }, config);
}
