import { fileURLToPath } from "node:url";
import type { AblationJob, JobEvent } from "../mod.ts";
import { linesOf } from "./lines_of.ts";

/** What a process has to know of a run: its configuration, its folder. */
export type JobFiles = Pick<AblationJob, "configPath" | "out">;

/** What every process is given. */
export interface SpawnOptions {
  /** Options of the engine by name, as typed: `threads` is of each process. */
  readonly engine: Readonly<Record<string, string | number | undefined>>;
  readonly plugins: readonly string[];
  /** Whether processes say what `--verbose` adds. */
  readonly verbose?: boolean;
}

function argsOf(job: JobFiles, restart: boolean, options: SpawnOptions): string[] {
  const { engine, plugins, verbose } = options;
  const program = new URL("../cli.ts", import.meta.url);
  return [
    "run",
    ...[
      "--quiet",
      "--no-prompt",
      "--v8-flags=--max-semi-space-size=4", // as in the tasks
      ...["read", "write", "env", "sys", "ffi"].map((it) => `--allow-${it}`),
    ],
    program.protocol === "file:" ? fileURLToPath(program) : program.href,
    "distill",
    ...["--config", job.configPath, "--out", job.out, "--json"],
    ...Object.entries(engine).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}`, String(value)]
    ),
    ...plugins.flatMap((spec) => ["--plugin", spec]),
    ...restart ? ["--restart"] : [],
    ...verbose ? ["--verbose"] : [],
  ];
}

/** The error among what a process said: its last sentence, else its last line. */
async function errorIn(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  report: (line: string) => void,
): Promise<string> {
  let last = "";
  let sentence = ""; // a stack follows it where the process is verbose
  for await (const line of linesOf(stream)) {
    report(line);
    if (line.trim()) last = line.trim();
    if (line.startsWith("Cannot ")) sentence = line.trim();
  }
  return sentence || last;
}

/**
 * Distils in a process of its own, by this program's own command, so that several can run at once.
 *
 * A Ctrl-C reaches the process too; it writes its checkpoint and ends with 130.
 */
export function spawnDistill(options: SpawnOptions) {
  return async function* (
    job: JobFiles,
    { signal, restart, report }: {
      readonly signal: AbortSignal;
      readonly restart: boolean;
      /** Is told every line of the process's error stream. */
      readonly report: (line: string) => void;
    },
  ): AsyncGenerator<JobEvent> {
    const child = new Deno.Command(Deno.execPath(), {
      args: argsOf(job, restart, options),
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const stop = () => {
      try {
        child.kill("SIGINT");
      } catch { /* it has ended */ }
    };
    signal.addEventListener("abort", stop);
    const error = errorIn(child.stderr, report);
    try {
      for await (const line of linesOf(child.stdout)) {
        if (line.startsWith("{")) yield JSON.parse(line) as JobEvent;
      }
      const { success, code } = await child.status;
      if (!success && !signal.aborted) {
        throw new Error(
          await error || `Cannot finish the run: its process ended with code ${code}`,
        );
      }
    } finally {
      signal.removeEventListener("abort", stop);
      stop(); // the reader may have left the loop
      await Promise.all([child.status, error]);
    }
  };
}
