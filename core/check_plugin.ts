/**
 * What a plugin must look like: checked when it is used, since it may be anybody's JavaScript.
 *
 * @module
 */
import type { PartKind, PartKinds, Plugin } from "./contracts.ts";
import { didYouMean } from "./nearest.ts";

/** A part of any kind. */
export type AnyPart = PartKinds[PartKind];

/** The lists of a plugin, and the kind of what each of them holds. */
const kindOfList = {
  upscales: "upscale",
  convs: "conv",
  demodulations: "demodulation",
  heads: "head",
  losses: "loss",
  metrics: "metric",
} as const satisfies Record<Exclude<keyof Plugin, "name" | "version">, PartKind>;

const fields = ["name", "version", ...Object.keys(kindOfList)];

const define: Readonly<Record<PartKind, string>> = {
  upscale: "defineUpscale",
  conv: "defineConv",
  demodulation: "defineDemodulation",
  head: "defineHead",
  loss: "defineLoss",
  metric: "defineMetric",
};

const functions: Readonly<Record<PartKind, readonly string[]>> = {
  upscale: ["outChannels", "init", "apply"],
  conv: ["init", "apply"],
  demodulation: ["init", "apply"],
  head: ["init", "apply"],
  loss: [],
  metric: ["compute"],
};

type Fields = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A value as an error message shows it: short, on one line. */
export function show(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (value === undefined || typeof value === "number") return String(value);
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    // Circular or a bigint: its type has to do.
  }
  text ??= typeof value;
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/**
 * The parts of a plugin, each with the kind of its list.
 *
 * @param prefixed Whether names of parts must start with the plugin's, as all but the built-in do.
 * @throws {TypeError} If the plugin, or a part of it, does not fill its contract.
 */
export function partsOf(plugin: unknown, prefixed: boolean): AnyPart[] {
  if (!isRecord(plugin) || typeof plugin["name"] !== "string") {
    throw new TypeError(
      `Cannot use a plugin: expected an object made by definePlugin() but received ${show(plugin)}`,
    );
  }
  const { name, version } = plugin;
  const what = `Cannot use plugin ${show(name)}`;
  if (!/^[a-z][a-z0-9_-]*$/.test(name)) {
    throw new TypeError(
      `${what}: expected "name" to be lower-case letters, digits, "_" and "-" but received ${
        show(name)
      }`,
    );
  }
  if (version !== undefined && typeof version !== "string") {
    throw new TypeError(`${what}: expected "version" to be a string but received ${show(version)}`);
  }
  for (const field of Object.keys(plugin)) {
    if (!fields.includes(field)) {
      throw new TypeError(
        `${what}: expected the fields ${fields.join(", ")} but received "${field}"${
          didYouMean(field, fields)
        }`,
      );
    }
  }
  return Object.entries(kindOfList).flatMap(([list, kind]) => {
    const parts = plugin[list] ?? [];
    if (!Array.isArray(parts)) {
      throw new TypeError(`${what}: expected "${list}" to be an array but received ${show(parts)}`);
    }
    return parts.map((part: unknown, i) => {
      if (!isRecord(part) || part["kind"] !== kind) {
        throw new TypeError(
          `${what}: expected ${list}[${i}] to be made by ${define[kind]}() but received ${
            isRecord(part) && typeof part["kind"] === "string"
              ? `a part of kind "${part["kind"]}"`
              : show(part)
          }`,
        );
      }
      checkPart(part, kind, { plugin: name, prefixed });
      return part as unknown as AnyPart;
    });
  });
}

function checkPart(
  part: Fields,
  kind: PartKind,
  { plugin, prefixed }: { readonly plugin: string; readonly prefixed: boolean },
): void {
  const { name } = part;
  const what = `Cannot add ${kind} ${show(name)} of plugin "${plugin}"`;
  const expect = (rule: string, isFulfilled: boolean, value: unknown) => {
    if (!isFulfilled) throw new TypeError(`${what}: expected ${rule} but received ${show(value)}`);
  };
  const prefix = prefixed ? `${plugin}/` : "";
  expect(
    `"name" to be "${prefix}" and a name of lower-case letters, digits and "_"`,
    typeof name === "string" && name.startsWith(prefix) &&
      /^[a-z][a-z0-9_]*$/.test(name.slice(prefix.length)),
    name,
  );
  for (const field of ["summary", "source"]) {
    const value = part[field];
    expect(`"${field}" to be one line`, typeof value === "string" && /^.+$/.test(value), value);
  }
  const { options } = part;
  // Schemas of some libraries are functions.
  const standard = (options as { readonly "~standard"?: unknown } | null | undefined)
    ?.["~standard"];
  expect(
    '"options" to be a Standard Schema, such as z.object({})',
    isRecord(standard) && typeof standard["validate"] === "function",
    options,
  );
  for (const field of functions[kind]) {
    expect(`a function "${field}"`, typeof part[field] === "function", part[field]);
  }
  for (const field of ["multiplyAdds", "fuse", "student", "discriminator"]) {
    const value = part[field];
    expect(
      `"${field}" to be a function`,
      value === undefined || typeof value === "function",
      value,
    );
  }
  if (kind === "head") {
    const value = part["usesPrevious"];
    expect('"usesPrevious" to be true or false', typeof value === "boolean", value);
  }
  if (kind === "loss") {
    const value = part["student"] ?? part["discriminator"];
    expect('a function "student" or "discriminator"', value !== undefined, value);
  }
  const { buffers = [] } = part;
  expect(
    '"buffers" to be names of weights',
    Array.isArray(buffers) && buffers.every((buffer) => typeof buffer === "string"),
    buffers,
  );
}
