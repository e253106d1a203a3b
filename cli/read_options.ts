import { parseArgs, type ParseOptions } from "@std/cli/parse-args";
import {
  type AnyCommand,
  type Command,
  type Option,
  type Options,
  UsageError,
  type Values,
} from "./command.ts";
import { nearest } from "./nearest.ts";

/** Options that every command has. */
export const COMMON = {
  help: { type: "flag", help: "show this help" },
  verbose: {
    type: "flag",
    help: "show where an error comes from, and what a GPU leaves to the CPU",
  },
} as const satisfies Options;

const MOST_SEEDS = 1_000_000;

function unknownOption(
  name: string,
  arg: string,
  { options }: AnyCommand,
  task: string,
): UsageError {
  const known = Object.keys({ ...options, ...COMMON });
  const meant = nearest(name, known);
  return new UsageError(
    `Cannot find option "${arg.split("=")[0]}" of ${task}; ${
      meant ? `did you mean "--${meant}"?` : `"deno task ${task} --help" lists the known ones`
    }`,
  );
}

function wrongValue(name: string, rule: string, text: string): UsageError {
  const received = text === "" ? "nothing" : `"${text}"`;
  return new UsageError(`Cannot read --${name}: expected ${rule} but received ${received}`);
}

function readNumber(name: string, { type, minimum }: Option, text: string): number {
  const value = Number(text);
  const isRight = text.trim() !== "" && Number.isFinite(value) &&
    (type === "number" || Number.isSafeInteger(value)) &&
    value >= (minimum ?? -Infinity);
  if (isRight) return value;
  const what = type === "integer" ? "an integer" : "a number";
  throw wrongValue(
    name,
    minimum === undefined ? what : `${what} of at least ${minimum}`,
    text,
  );
}

/** Reads `0-15`, `1,4,9` and mixtures of both. */
function readSeeds(name: string, text: string): number[] {
  const seeds: number[] = [];
  for (const piece of text.split(",")) {
    const [, first, last = first] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(piece) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (!(from <= to) || !Number.isSafeInteger(to) || seeds.length + to - from >= MOST_SEEDS) {
      throw wrongValue(name, 'seeds like "0-15" or "1,4,9"', text);
    }
    for (let seed = from; seed <= to; seed++) seeds.push(seed);
  }
  return seeds;
}

function readValue(name: string, option: Option, text: string): unknown {
  if (text === "") throw wrongValue(name, option.value ?? "a value", text);
  if (option.choices && !option.choices.includes(text)) {
    const choices = option.choices.map((choice) => `"${choice}"`).join(", ");
    throw wrongValue(name, `one of ${choices}`, text);
  }
  if (option.type === "integer" || option.type === "number") return readNumber(name, option, text);
  return option.type === "seeds" ? readSeeds(name, text) : text;
}

/** `parseArgs`, which takes `--shift -1` for two flags and refuses forms with a `SyntaxError`. */
function parse(args: readonly string[], options: ParseOptions): Record<string, unknown> {
  const joined: string[] = [];
  for (const arg of args) {
    const previous = joined.at(-1);
    if (/^-\.?\d/.test(arg) && previous && /^--[^=]+$/.test(previous)) {
      joined[joined.length - 1] = `${previous}=${arg}`;
    } else joined.push(arg);
  }
  try {
    return parseArgs(joined, options);
  } catch (error) {
    throw error instanceof SyntaxError ? new UsageError(error.message, { cause: error }) : error;
  }
}

/** Fills in what was not given. */
function absentValue(name: string, option: Option, task: string): unknown {
  if (option.required) {
    throw new UsageError(
      `Cannot run ${task}: expected --${name} ${option.value ?? "VALUE"} but received nothing`,
    );
  }
  if (typeof option.default === "string") return readValue(name, option, option.default);
  return option.type === "texts" ? [] : option.default;
}

/**
 * Reads the arguments of a command.
 *
 * @throws {UsageError} If an option is unknown, lacks its value, or has a wrong one.
 */
export function readOptions<Known extends Options>(
  args: readonly string[],
  command: Command<Known>,
  task: string,
): Values<Known> & Values<typeof COMMON> {
  const options: Options = { ...command.options, ...COMMON };
  const names = (...types: string[]) =>
    Object.keys(options).filter((name) => types.includes(options[name]!.type));
  const parsed = parse(args, {
    boolean: names("flag"),
    string: [...names("text", "texts", "integer", "number", "seeds"), "_"],
    collect: names("texts"),
    alias: { help: "h" },
    unknown(arg, key) {
      if (key !== undefined) throw unknownOption(key, arg, command as AnyCommand, task);
      if (command.positional) return;
      throw new UsageError(`Cannot run ${task}: expected options only but received "${arg}"`);
    },
  });
  if (parsed["help"]) return { help: true } as Values<Known> & Values<typeof COMMON>;

  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(options)) {
    const given = parsed[name];
    if (option.type === "flag") values[name] = given;
    else if (option.type === "texts") {
      const unnamed = name === command.positional ? parsed["_"] as string[] : [];
      values[name] = [...unnamed, ...given as string[]].map((text) =>
        readValue(name, option, text)
      );
    } else {
      values[name] = given === undefined
        ? absentValue(name, option, task)
        : readValue(name, option, given as string);
    }
  }
  return values as Values<Known> & Values<typeof COMMON>;
}
