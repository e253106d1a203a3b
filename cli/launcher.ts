/**
 * A program that starts distillations, for a process that has given up starting programs before it
 * loaded plugins. It is asked for runs by their files alone: what it starts was fixed before.
 *
 * @module
 */
import { linesOf } from "./lines_of.ts";
import { type JobFiles, spawnDistill, type SpawnOptions } from "./spawn_distill.ts";

/** A line of the launcher's input: start a run, or stop it. */
export type LaunchRequest =
  | { readonly id: number; readonly job: JobFiles; readonly restart: boolean }
  | { readonly stop: number };

/** A line of its output: an event of a run, what `--verbose` adds, or the run's end. */
export interface LaunchReply {
  readonly id: number;
  readonly event?: { readonly kind: string };
  readonly note?: string;
  readonly error?: string;
}

async function serve(options: SpawnOptions, reply: (line: LaunchReply) => void): Promise<void> {
  const runJob = spawnDistill(options);
  const running = new Map<number, AbortController>();
  const ends: Promise<void>[] = [];
  const run = async (id: number, job: JobFiles, restart: boolean, signal: AbortSignal) => {
    try {
      const report = (note: string) => options.verbose && reply({ id, note });
      for await (const event of runJob(job, { signal, restart, report })) reply({ id, event });
      reply({ id });
    } catch (error) {
      reply({ id, error: error instanceof Error ? error.message : String(error) });
    }
    running.delete(id);
  };
  for await (const line of linesOf(Deno.stdin.readable)) {
    const request = JSON.parse(line) as LaunchRequest;
    if ("stop" in request) {
      running.get(request.stop)?.abort();
      continue;
    }
    const controller = new AbortController();
    running.set(request.id, controller);
    ends.push(run(request.id, request.job, request.restart, controller.signal));
  }
  // Whoever asked is gone: every run writes its checkpoint.
  for (const controller of running.values()) controller.abort();
  await Promise.all(ends);
}

if (import.meta.main) {
  // A Ctrl-C reaches the runs too, and their ends are still to be told.
  Deno.addSignalListener("SIGINT", () => {});
  await serve(
    JSON.parse(Deno.args[0]!) as SpawnOptions,
    (line) => console.log(JSON.stringify(line)),
  );
  Deno.exit(0);
}
