/**
 * What a command of the command line is: a value with its options, its help and a function.
 *
 * @module
 */

/** How the text of an option is read. */
export type OptionType = "flag" | "text" | "texts" | "integer" | "number" | "seeds";

/** An option of a command; its name is its key in {@linkcode Options}. */
export interface Option {
  readonly type: OptionType;
  /** What it does, and in which unit; starts small, no full stop. */
  readonly help: string;
  /** The name of the value in the help, for instance `FILE`. */
  readonly value?: string;
  /** The value if the option is not given. */
  readonly default?: string | number;
  /** The only values that are allowed. */
  readonly choices?: readonly string[];
  /** The smallest number that is allowed. */
  readonly minimum?: number;
  /** Whether the command cannot do without it. */
  readonly required?: boolean;
}

/** The options of a command by name, without dashes. */
export type Options = Readonly<Record<string, Option>>;

type ValueOf<Type extends OptionType> = Type extends "flag" ? boolean
  : Type extends "texts" ? readonly string[]
  : Type extends "seeds" ? readonly number[]
  : Type extends "text" ? string
  : number;

/** What the options of a command are read into. Flags and lists are always there. */
export type Values<Known extends Options = Options> = {
  readonly [Name in keyof Known]:
    | ValueOf<Known[Name]["type"]>
    | (Known[Name] extends
      | { type: "flag" | "texts" }
      | { default: string | number }
      | { required: true } ? never
      : undefined);
};

/** Where a command writes: results to one stream, progress and errors to the other. */
export interface Terminal {
  /** Writes a line of the result. */
  print(line: string): void;
  /** Writes a line that is not part of the result. */
  warn(line: string): void;
  /** The stream of {@linkcode warn}, for a bar that redraws itself; absent: not a terminal. */
  readonly bar?: NodeJS.WritableStream | undefined;
  /** Milliseconds that only grow. */
  now(): number;
}

/** What a command gets besides its options. */
export interface Context {
  readonly terminal: Terminal;
  /** Aborted by Ctrl-C: the command writes a checkpoint and returns. */
  readonly signal: AbortSignal;
  /** With `--verbose`: writes what is of interest only then. */
  readonly report?: (line: string) => void;
  /** Gives up network, programs and native libraries for the rest of the process. */
  confine(): Promise<void>;
  /** What to type to go on or do it once more: the same command, without `--restart`. */
  readonly again: string;
}

/** A command of the command line. */
export interface Command<Known extends Options = Options> {
  /** One line for the list of commands. */
  readonly summary: string;
  /** A paragraph or two for its own help. */
  readonly description?: string;
  readonly options: Known;
  /** The option of type `texts` that arguments without a name belong to. */
  readonly positional?: keyof Known & string;
  /** Complete command lines, each with what it does. */
  readonly examples?: Readonly<Record<string, string>>;
  run(values: Values<Known>, context: Context): Promise<void>;
}

/** A command of some options: it runs with what was read by them, and with nothing else. */
export interface AnyCommand extends Omit<Command, "run"> {
  run(values: never, context: Context): Promise<void>;
}

/** The command was typed wrongly: the process ends with 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Adds nothing; infers the types of the options' values. */
export function defineCommand<const Known extends Options>(
  command: Command<Known>,
): Command<Known> {
  return command;
}
