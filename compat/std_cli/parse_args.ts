/**
 * Stands in for `@std/cli/parse-args` where JSR cannot be reached: the same signature, the part of
 * its behaviour that a command line of long and short flags needs. See README.md beside this file.
 *
 * @module
 */

type Names = string;

/** The types that the flags of an option record get; `unknown` for flags that it does not name. */
type Flags<
  Booleans extends Names,
  Strings extends Names,
  Collected extends Names,
  Negatable extends Names,
> =
  & { [Name in Exclude<Booleans, Collected>]: boolean }
  & { [Name in Extract<Booleans, Collected>]: boolean[] }
  & { [Name in Exclude<Strings, Collected>]?: string | (Name extends Negatable ? false : never) }
  & { [Name in Extract<Strings, Collected>]: string[] | (Name extends Negatable ? false : never) }
  & { [Name in Exclude<Collected, Booleans | Strings>]: unknown[] };

type WithDefaults<Values, Defaults> =
  & Omit<Values, keyof Defaults>
  & {
    [Name in keyof Defaults]: Name extends keyof Values ? Defaults[Name] | NonNullable<Values[Name]>
      : unknown;
  };

type NamesOf<Name, Aliases> = Name extends keyof Aliases
  ? Aliases[Name] extends string ? Name | Aliases[Name]
  : Aliases[Name] extends readonly string[] ? Name | Aliases[Name][number]
  : Name
  : Name;

type WithAliases<Values, Aliases> = {
  [Name in keyof Values as NamesOf<Name, Aliases> & PropertyKey]: Values[Name];
};

/** What {@linkcode parseArgs} gives: the flags by name, and the arguments that are no flags. */
export type Args<
  // deno-lint-ignore no-explicit-any -- as in @std/cli: without options nothing is known
  Values = Record<string, any>,
  DoubleDash extends boolean | undefined = undefined,
> =
  & Values
  & { /** The arguments that belong to no flag. */ _: (string | number)[] }
  & (true extends DoubleDash ? { /** What followed `--`. */ "--": string[] } : unknown);

/** How {@linkcode parseArgs} reads the arguments. */
export interface ParseOptions<
  Booleans extends Names = Names,
  Strings extends Names = Names,
  Collected extends Names = Names,
  Negatable extends Names = Names,
  Defaults extends Record<string, unknown> = Record<string, unknown>,
  Aliases extends Record<string, string | readonly string[]> = Record<
    string,
    string | readonly string[]
  >,
  DoubleDash extends boolean | undefined = boolean | undefined,
> {
  /** Whether what follows `--` goes to `["--"]` and not to `_`. */
  "--"?: DoubleDash;
  /** Other names of a flag. */
  alias?: Aliases;
  /** Flags without a value; `false` unless given. */
  boolean?: Booleans | readonly Booleans[];
  /** Values of flags that are not given. */
  default?: Defaults;
  /** Whether everything after the first argument that is no flag goes to `_` unread. */
  stopEarly?: boolean;
  /** Flags whose value stays text; `"_"` keeps the other arguments text too. */
  string?: Strings | readonly Strings[];
  /** Flags that may be repeated: their values are collected. */
  collect?: Collected | readonly Collected[];
  /** Flags that `--no-NAME` sets to `false`. */
  negatable?: Negatable | readonly Negatable[];
  /** Called for every argument that the options do not name; `false` drops it. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

const NUMBER_REGEXP = /^(?:0x[0-9a-f]+|[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?)$/i;
const LONG_REGEXP = /^--(?<name>.+?)(?:=(?<value>.+))?$/s;
const SHORT_REGEXP = /^-(?:(?<names>[A-Za-z]+|[^-])|(?<name>[A-Za-z])=(?<value>.+))$/s;

function list(names: string | readonly string[] | undefined): readonly string[] {
  return typeof names === "string" ? [names] : names ?? [];
}

/**
 * Reads command line arguments into a record of flags and a list `_` of everything else.
 *
 * Numbers are read as numbers unless the flag is listed in `string`. The argument after a flag is
 * its value unless the flag is listed in `boolean` or the argument starts with `-`.
 *
 * @param args The arguments, for instance `Deno.args`.
 * @param options Which flags exist and how they are read.
 * @returns The flags by name, under each alias too.
 * @throws {SyntaxError} If an argument has a form that only the original reads: `-n5`, `-I/path`,
 * `--a.b`, `--no-x=1`.
 */
export function parseArgs<
  Booleans extends Names = never,
  Strings extends Names = never,
  Collected extends Names = never,
  Negatable extends Names = never,
  Defaults extends Record<string, unknown> = Record<never, never>,
  const Aliases extends Record<string, string | readonly string[]> = Record<never, never>,
  DoubleDash extends boolean | undefined = undefined,
>(
  args: readonly string[],
  options: ParseOptions<
    Booleans,
    Strings,
    Collected,
    Negatable,
    Defaults,
    Aliases,
    DoubleDash
  > = {},
): Args<
  // deno-lint-ignore no-explicit-any -- as in @std/cli: without options nothing is known
  [Booleans | Strings | Collected] extends [never] ? Record<string, any>
    :
      & Record<string, unknown>
      & WithAliases<
        WithDefaults<Flags<Booleans, Exclude<Strings, "_">, Collected, Negatable>, Defaults>,
        Aliases
      >,
  DoubleDash
> {
  const others = new Map<string, readonly string[]>(); // the other names of a name
  for (const [name, value] of Object.entries(options.alias ?? {})) {
    const all = [name, ...list(value)];
    for (const one of all) others.set(one, all.filter((other) => other !== one));
  }
  const named = (names: string | readonly string[] | undefined) =>
    new Set(list(names).flatMap((name) => [name, ...others.get(name) ?? []]));
  const booleans = named(options.boolean);
  const strings = named(options.string);
  const collected = named(options.collect);
  const negatable = named(options.negatable);

  const found: Record<string, unknown> & { _: (string | number)[] } = { _: [] };
  const numberOr = (text: string) => NUMBER_REGEXP.test(text) ? Number(text) : text;

  function put(name: string, value: unknown, collect: boolean) {
    if (!collect) {
      found[name] = value;
      return;
    }
    const old = Object.hasOwn(found, name) ? found[name] : undefined;
    if (Array.isArray(old)) old.push(value);
    else found[name] = old ? [old, value] : [value]; // after --no-NAME the list starts anew
  }

  function set(name: string, value: string | boolean, arg: string, mayCollect = true) {
    const known = booleans.has(name) || strings.has(name) || others.has(name);
    if (!known && options.unknown?.(arg, name, value) === false) return;
    if (name.includes(".")) {
      throw new SyntaxError(`Cannot parse "${arg}": expected a flag without "." in its name`);
    }
    const final = typeof value === "string" && !strings.has(name) ? numberOr(value) : value;
    for (const one of [name, ...others.get(name) ?? []]) {
      put(one, final, mayCollect && collected.has(name));
    }
  }

  /** Sets a flag that has no `=`; gives whether it took the next argument for its value. */
  function setFromNext(name: string, next: string | undefined, arg: string): boolean {
    const isFlag = arg.startsWith("--") ? next?.startsWith("-") : /^--?[^-]/.test(next ?? "");
    const takes = Boolean(next) && !booleans.has(name) && !isFlag;
    const says = next === "true" || next === "false";
    set(name, takes ? next! : says ? next === "true" : strings.has(name) ? "" : true, arg);
    return takes || says;
  }

  const end = args.indexOf("--");
  const read = end < 0 ? args : args.slice(0, end);
  const unread = end < 0 ? [] : args.slice(end + 1);
  for (let i = 0; i < read.length; i++) {
    const arg = read[i]!;
    const long = LONG_REGEXP.exec(arg)?.groups;
    if (long) {
      const { name, value } = long as { name: string; value?: string };
      const negated = name.startsWith("no-") ? name.slice(3) : undefined;
      if (value !== undefined) {
        if (negated) throw new SyntaxError(`Cannot parse "${arg}": expected no value after --no-`);
        set(name, booleans.has(name) ? value !== "false" : value, arg);
      } else if (negated && negatable.has(negated)) {
        set(negated, false, arg, false);
      } else if (setFromNext(name, read[i + 1], arg)) {
        i++;
      }
    } else if (arg.startsWith("-") && arg !== "-") {
      const short = SHORT_REGEXP.exec(arg)?.groups;
      if (!short) {
        throw new SyntaxError(`Cannot parse "${arg}": expected a short flag like "-n 5" or "-n=5"`);
      }
      if (short["name"]) {
        set(short["name"], short["value"]!, arg);
        continue;
      }
      const names = [...short["names"]!];
      for (const name of names.slice(0, -1)) set(name, strings.has(name) ? "" : true, arg);
      if (setFromNext(names.at(-1)!, read[i + 1], arg)) i++;
    } else {
      if (options.unknown?.(arg) !== false) found._.push(strings.has("_") ? arg : numberOr(arg));
      if (options.stopEarly) {
        found._.push(...read.slice(i + 1));
        break;
      }
    }
  }

  for (const [name, value] of Object.entries(options.default ?? {})) {
    if (Object.hasOwn(found, name)) continue;
    for (const one of [name, ...others.get(name) ?? []]) found[one] = value;
  }
  for (const name of booleans) {
    if (!Object.hasOwn(found, name)) found[name] = collected.has(name) ? [] : false;
  }
  for (const name of strings) {
    if (!Object.hasOwn(found, name) && collected.has(name)) found[name] = [];
  }
  if (options["--"]) found["--"] = [...unread];
  else found._.push(...unread);
  return found as never; // filled by name; its type is what the options promise
}
