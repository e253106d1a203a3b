/**
 * What a pickle is read as: plain values, and inert records for whatever is not plain.
 *
 * @module
 */
import { quote } from "./describe.ts";
import { bytesAccess, type RandomAccess } from "./random_access.ts";

/** A name that a pickle mentions: a class or a function. It is only a name. */
export interface PickleGlobal {
  readonly kind: "global";
  /** Module and name with a blank between: `torch FloatStorage`. */
  readonly name: string;
}

/** An object of a class that is not known: what the pickle said of it, and nothing was run. */
export interface PickleObject {
  readonly kind: "object";
  /** Name of the class or function that would have made it. */
  readonly name: string;
  readonly args: readonly unknown[];
  /** Attributes, in the form that the class pickled them. */
  state: unknown;
  /** Items of a subclass of list or set. */
  readonly items: unknown[];
  /** Entries of a subclass of dict. */
  readonly entries: Map<unknown, unknown>;
}

/** Bytes that a pickle holds; a range of the file until they are read. */
export interface PickleBytes {
  readonly kind: "bytes";
  readonly access: RandomAccess;
}

/** Builds a plain value for an allowed name. `fail(expected, received)` makes the error to throw. */
export type PickleConstructor = (
  args: readonly unknown[],
  fail: (expected: string, received: string) => SyntaxError,
) => unknown;

/** Whether a value is the record of that kind; plain objects of other origin never occur here. */
function isKind(value: unknown, kind: string): boolean {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === kind;
}
/** Whether a value of a pickle is a name. */
export function isGlobal(value: unknown): value is PickleGlobal {
  return isKind(value, "global");
}
/** Whether a value of a pickle is an inert record. */
export function isObject(value: unknown): value is PickleObject {
  return isKind(value, "object");
}
/** Whether a value of a pickle is bytes. */
export function isBytes(value: unknown): value is PickleBytes {
  return isKind(value, "bytes");
}

/** A few words on a value of a pickle, for errors. */
export function describeValue(value: unknown): string {
  if (value === null || typeof value === "boolean" || typeof value === "number") return `${value}`;
  if (typeof value === "bigint") return "a large integer";
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) {
    return `a ${Object.isFrozen(value) ? "tuple" : "list"} of ${value.length}`;
  }
  if (value instanceof Map) return `a dict of ${value.size}`;
  if (value instanceof Set) return `a set of ${value.size}`;
  if (isGlobal(value)) return `the name ${quote(value.name)}`;
  if (isObject(value)) return `an object of ${quote(value.name)}`;
  return isBytes(value) ? `${value.access.size} bytes` : "a built value";
}

/** A record of a call that was not made. */
export function inert(name: string, args: readonly unknown[]): PickleObject {
  return { kind: "object", name, args, state: null, items: [], entries: new Map() };
}

const emptyBytes: PickleBytes = { kind: "bytes", access: bytesAccess(new Uint8Array(0)) };
const pairs = (value: unknown): [unknown, unknown][] => {
  if (value instanceof Map) return [...value];
  return Array.isArray(value)
    ? value.filter(Array.isArray).map((pair): [unknown, unknown] => [pair[0], pair[1]])
    : [];
};

/** Python's containers and what pickles of its standard library need. */
export const pythonConstructors = new Map<string, PickleConstructor>([
  ["collections OrderedDict", ([entries]) => new Map(pairs(entries))],
  ["collections defaultdict", ([, entries]) => new Map(pairs(entries))],
  ["builtins dict", ([entries]) => new Map(pairs(entries))],
  ["builtins list", ([items]) => Array.isArray(items) ? [...items] : []],
  ["builtins tuple", ([items]) => Object.freeze(Array.isArray(items) ? [...items] : [])],
  ["builtins set", ([items]) => new Set(Array.isArray(items) ? items : [])],
  ["builtins frozenset", ([items]) => new Set(Array.isArray(items) ? items : [])],
  ["builtins bytearray", ([bytes]) => isBytes(bytes) ? bytes : emptyBytes],
  // Protocol 2 writes bytes as a string of code points below 256.
  ["_codecs encode", ([value], fail) => {
    if (typeof value !== "string") throw fail("a string to encode", describeValue(value));
    if (/[^\0-\xff]/.test(value)) throw fail("bytes as latin1", "other characters");
    const bytes = new Uint8Array(value.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = value.charCodeAt(i);
    return { kind: "bytes", access: bytesAccess(bytes) } satisfies PickleBytes;
  }],
]);
