import { fileURLToPath } from "node:url";
import type { AblationJob, JobEvent, RunJob } from "../mod.ts";

/** What every process is given. */
export interface SpawnOptions {
  /** Options of the engine by name, as typed: `threads` is of each process. */
  readonly engine: Readonly<Record<string, string | number | undefined>>;
  readonly plugins: readonly string[];
}

function argsOf(job: AblationJob, restart: boolean, options: SpawnOptions): string[] {
  const { engine, plugins } = options;
  const program = new URL("../cli.ts", import.meta.url);
  return [
    "run",
    "--quiet",
    "--allow-all",
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

/** The lines of a stream, whole. */
async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest) yield rest;
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
export function spawnDistill(options: SpawnOptions): RunJob {
  return async function* (job, { signal, restart }): AsyncGenerator<JobEvent> {
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
    signal?.addEventListener("abort", stop);
    const error = lastLine(child.stderr);
    try {
      for await (const line of linesOf(child.stdout)) {
        if (line.startsWith("{")) yield JSON.parse(line) as JobEvent;
      }
      const { success, code } = await child.status;
      if (!success && !signal?.aborted) {
        throw new Error(
          await error || `Cannot finish the run: its process ended with code ${code}`,
        );
      }
    } finally {
      signal?.removeEventListener("abort", stop);
      stop(); // the reader may have left the loop
      await Promise.all([child.status, error]);
    }
  };
}
