import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import type { JobEvent, RunJob } from "../mod.ts";
import type { LaunchReply, LaunchRequest } from "./launcher.ts";
import { linesOf } from "./lines_of.ts";
import type { SpawnOptions } from "./spawn_distill.ts";

/** Runs jobs in processes of their own, which a process of its own starts. */
export interface JobLauncher {
  readonly runJob: RunJob;
  /** Ends it; runs that are left write their checkpoints. */
  close(): Promise<void>;
}

/**
 * Starts `cli/launcher.ts`, while programs may still be started.
 *
 * `report` asks the runs to be verbose, and is told what they say, after the name of their folder.
 */
export function launchJobs(
  options: Omit<SpawnOptions, "verbose">,
  report?: (line: string) => void,
): JobLauncher {
  const program = new URL("./launcher.ts", import.meta.url);
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--allow-read", "--allow-run", "--allow-env"],
      program.protocol === "file:" ? fileURLToPath(program) : program.href,
      JSON.stringify({ ...options, verbose: report !== undefined } satisfies SpawnOptions),
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  const runs = new Map<number, ReadableStreamDefaultController<JobEvent>>();
  const names = new Map<number, string>();

  const send = (request: LaunchRequest) =>
    writer.write(new TextEncoder().encode(`${JSON.stringify(request)}\n`));
  const read = async () => {
    for await (const line of linesOf(child.stdout)) {
      const { id, event, note, error } = JSON.parse(line) as LaunchReply;
      if (note !== undefined) {
        report?.(`${names.get(id)}: ${note}`);
        continue;
      }
      const run = runs.get(id)!;
      if (event) {
        run.enqueue(event);
        continue;
      }
      runs.delete(id);
      if (error === undefined) run.close();
      else run.error(new Error(error));
    }
    for (const run of runs.values()) {
      run.error(new Error("Cannot finish the run: the process that started it has ended"));
    }
  };
  const done = read();

  let count = 0;
  return {
    async *runJob({ configPath, out }, { signal, restart }) {
      const id = count++;
      names.set(id, basename(out));
      const events = new ReadableStream<JobEvent>({ start: (run) => void runs.set(id, run) });
      const stop = () => void send({ stop: id }).catch(() => {}); // it may have ended
      signal?.addEventListener("abort", stop);
      try {
        await send({ id, job: { configPath, out }, restart });
        yield* events.values({ preventCancel: true });
      } finally {
        signal?.removeEventListener("abort", stop);
        if (runs.has(id)) { // the reader has left the loop
          stop();
          for await (const _ of events.values());
        }
      }
    },
    async close() {
      await writer.close().catch(() => {});
      await done;
      await child.status;
    },
  };
}
