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
  /** Ends the program, and rejects. */
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
      ...signal && { signal },
    });
    const { success, stdout, stderr, signal: killer } = await command.output();
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
