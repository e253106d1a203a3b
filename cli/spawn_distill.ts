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
}

function argsOf(job: JobFiles, restart: boolean, options: SpawnOptions): string[] {
  const { engine, plugins } = options;
  const program = new URL("../cli.ts", import.meta.url);
  return [
    "run",
    ...[
      "--quiet",
      "--no-prompt",
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
  ];
}

/** The last line of what a process said, which is its error. */
async function lastLine(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let last = "";
  for await (const line of linesOf(stream)) {
    if (line.trim()) last = line.trim();
  }
  return last;
}

/**
 * Distils in a process of its own, by this program's own command, so that several can run at once.
 *
 * A Ctrl-C reaches the process too; it writes its checkpoint and ends with 130.
 */
export function spawnDistill(options: SpawnOptions) {
  return async function* (
    job: JobFiles,
    { signal, restart }: { readonly signal: AbortSignal; readonly restart: boolean },
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
    const error = lastLine(child.stderr);
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
