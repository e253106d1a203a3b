/**
 * Flat records of named weights: selecting and prefixing, for tensors and host arrays alike.
 *
 * @module
 */

/**
 * The entries below a prefix, with the prefix and its dot removed: `under({ "4.const": c }, "4")` is
 * `{ const: c }`.
 */
export function under<Value>(
  record: Readonly<Record<string, Value>>,
  prefix: string,
): Record<string, Value> {
  const start = `${prefix}.`;
  return Object.fromEntries(
    Object.entries(record)
      .filter(([name]) => name.startsWith(start))
      .map(([name, value]) => [name.slice(start.length), value]),
  );
}

/** The same entries below a prefix: `prefixed({ const: c }, "4")` is `{ "4.const": c }`. */
export function prefixed<Value>(
  record: Readonly<Record<string, Value>>,
  prefix: string,
): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [`${prefix}.${name}`, value]),
  );
}

/**
 * The weight of that name.
 *
 * @throws {RangeError} when it is missing
 */
export function weightOf<Value>(record: Readonly<Record<string, Value>>, name: string): Value {
  const value = record[name];
  if (value === undefined) {
    const names = Object.keys(record).map((key) => JSON.stringify(key));
    const some = names.length > 8 ? [...names.slice(0, 8), "..."] : names;
    throw new RangeError(
      `Cannot find weight "${name}": expected it in the record but received only ${
        some.join(", ") || "an empty one"
      }`,
    );
  }
  return value;
}
