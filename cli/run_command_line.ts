import { type AnyCommand, type Terminal, UsageError } from "./command.ts";
import { commandHelp, overallHelp } from "./help.ts";
import { nearest } from "./nearest.ts";
import { readOptions } from "./read_options.ts";
import { refusalOf } from "./refusal.ts";

/** Exit codes. */
export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** A second Ctrl-C counts from here on: `deno task` passes the first on twice. */
const PATIENCE_MS = 500;

/** What the command line needs of the process. */
export interface Process {
  readonly terminal: Terminal;
  /** Calls back at every Ctrl-C; gives a function that stops it. */
  onInterrupt(callback: () => void): () => void;
  /** Gives up network, programs and native libraries for good. */
  confine(): Promise<void>;
  /** Ends the process at once. */
  exit(code: number): void;
}

function quoted(arg: string): string {
  return /^[\w./:=,@%+-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`;
}

/** An error as one sentence. */
export function sentenceOf(error: unknown, task: string): string {
  const text = (error instanceof Error ? error.message : String(error)).trim();
  const message = text.replace(/\s*\n\s*/g, " ") || "an error without a message";
  const refusal = refusalOf(message);
  if (refusal) {
    return `Cannot finish ${task}: expected code that does not ${refusal.deed} but received "${refusal.access}"; docs/plugins.md says what plugins may do`;
  }
  return message.startsWith("Cannot ") ? message : `Cannot finish ${task}: ${message}`;
}

function findCommand(
  name: string,
  commands: Readonly<Record<string, AnyCommand>>,
): AnyCommand {
  if (Object.hasOwn(commands, name)) return commands[name]!;
  const known = Object.keys(commands);
  const meant = nearest(name, known);
  throw new UsageError(
    `Cannot find command "${name}": known commands are ${known.join(", ")}${
      meant ? `; did you mean "${meant}"?` : ""
    }`,
  );
}

async function execute(
  command: AnyCommand,
  task: string,
  args: readonly string[],
  { terminal, onInterrupt, confine, exit }: Process,
): Promise<number> {
  const values = readOptions(args, command, task);
  if (values.help) {
    terminal.print(commandHelp(task, command));
    return EXIT.done;
  }
  const controller = new AbortController();
  let first: number | undefined;
  const stop = onInterrupt(() => {
    const now = terminal.now();
    if (first !== undefined && now - first > PATIENCE_MS) return exit(EXIT.interrupted);
    first ??= now;
    controller.abort(new DOMException("Interrupted by the user", "AbortError"));
  });
  const { signal } = controller;
  try {
    const kept = args.filter((arg) => arg !== "--restart");
    const again = ["deno task", task, ...kept.map(quoted)].join(" ");
    const report = (line: string) => terminal.warn(line);
    const context = { terminal, signal, again, confine, ...values.verbose && { report } };
    await command.run(values as never, context); // read by the options of this very command
  } catch (error) {
    const isAbort = error === signal.reason ||
      error instanceof Error && error.name === "AbortError";
    if (!signal.aborted || !isAbort) throw error;
  } finally {
    stop();
  }
  return signal.aborted ? EXIT.interrupted : EXIT.done;
}

/**
 * Reads a command line, runs its command and gives the exit code.
 *
 * An error is one sentence on the error stream; `--verbose` adds where it comes from.
 */
export async function runCommandLine(
  args: readonly string[],
  commands: Readonly<Record<string, AnyCommand>>,
  process: Process,
): Promise<number> {
  const [task, ...rest] = args;
  const { terminal } = process;
  if (task === undefined || task === "--help" || task === "-h" || task === "help") {
    (task === undefined ? terminal.warn : terminal.print)(overallHelp(commands));
    return task === undefined ? EXIT.usage : EXIT.done;
  }
  try {
    return await execute(findCommand(task, commands), task, rest, process);
  } catch (error) {
    terminal.warn(sentenceOf(error, task));
    if (rest.includes("--verbose") && error instanceof Error) {
      for (let at: unknown = error; at instanceof Error; at = at.cause) {
        terminal.warn(at === error ? at.stack ?? "" : `caused by ${at.stack ?? at.message}`);
      }
    }
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}
