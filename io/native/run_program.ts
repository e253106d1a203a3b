/** A program that has ended. */
export interface Finished {
  readonly success: boolean;
  /** What it wrote to its standard output. */
  readonly output: string;
  /** The same, what it wrote to its standard error, and the signal that ended it, if one did. */
  readonly text: string;
}

/** How {@linkcode runProgram} runs it. */
export interface RunOptions {
  /** Ends the program and what it has started, and rejects. */
  readonly signal?: AbortSignal | undefined;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program to its end; `undefined` if there is none of that name. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { signal, env }: RunOptions = {},
): Promise<Finished | undefined> {
  signal?.throwIfAborted();
  try {
    const command = new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      env: { NO_COLOR: "1", ...env },
      stdout: "piped",
      stderr: "piped",
    });
    const child = command.spawn();
    const stop = () => endAll(child.pid);
    signal?.addEventListener("abort", stop);
    const { success, stdout, stderr, signal: killer } = await child.output()
      .finally(() => signal?.removeEventListener("abort", stop));
    signal?.throwIfAborted();
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
    const output = decode(stdout);
    const end = killer ? `\nended by ${killer}` : "";
    return { success, output, text: `${output}\n${decode(stderr)}${end}`.trim() };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    return { success: false, output: "", text: error.message }; // a file that cannot be run
  }
}

/** A process first, as it could start others, and then its children: of Linux's list, else pgrep's. */
const END_ALL = `end() {
  set -- "$1" $(cat "/proc/$1/task/$1/children" 2> /dev/null || pgrep -P "$1")
  kill "$1" 2> /dev/null
  shift
  for child; do end "$child"; done
}
end "$0"`;

/** Ends a process and what it has started: a compiler's passes and pip's installer outlive it. */
function endAll(pid: number): void {
  const env = { PATH: "/usr/bin:/bin" }; // whatever the programs are found by
  new Deno.Command("/bin/sh", { args: ["-c", END_ALL, String(pid)], env }).outputSync();
}
