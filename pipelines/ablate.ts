/**
 * Distils variants of one configuration, each in one field, and compares what comes out.
 *
 * @module
 */
import { writeJsonFile } from "../io/json_file.ts";
import { type AblationJob, type JobEvent, mergeSources } from "./ablate/jobs.ts";
import { openQuality } from "./ablate/measures.ts";
import { createPace } from "./ablate/pace.ts";
import { writeResults } from "./ablate/results.ts";
import {
  type AblateContext,
  type AblateSession,
  openSession,
  rowsOf,
  storeResult,
  studentOf,
} from "./ablate/session.ts";
import { summarise } from "./ablate/table.ts";
import type { AblateInput } from "./ablate_config.ts";
import type { AblationEvent, AblationRunEvent } from "./ablate_events.ts";

export type { AblateContext } from "./ablate/session.ts";

/**
 * Distils a base and its variants with several seeds, and compares quality and cost; yields events,
 * prints nothing, and goes on where it stopped.
 *
 * Every variant differs from the base in one field. A run that fails does not stop the others, and is
 * tried again the next time. Students are measured on latents that training never draws, and timed
 * in turn once all runs are over.
 *
 * Writes `table.jsonl` (one row per run), `table.md`, `quality` and `cost` as SVG and PNG, and the
 * configuration of every run, which `distill` repeats.
 *
 * @throws {RangeError} If the configuration is wrong.
 */
export async function* ablate(
  input: AblateInput,
  context: AblateContext,
): AsyncGenerator<AblationEvent> {
  const session = await openSession(input, context);
  const { config, jobs, results, out, signal } = session;
  const notes = [
    `${jobs.length} runs of ${config.base.steps} steps`,
    ...results.size > 0 ? [`${results.size} are done`] : [],
  ];
  const { variants, seeds } = config;
  yield { kind: "ablationStart", out, variants, seeds, done: results.size, notes };
  yield* runJobs(session);
  yield await writeResults(session, !signal?.aborted);
}

/** Distils what has no result yet. */
async function* runJobs(session: AblateSession): AsyncGenerator<AblationEvent> {
  const { config, jobs, results, errors, signal, limit, restart } = session;
  const waiting = jobs.filter(({ id }) => !results.has(id));
  const { steps } = config.base;
  const stepOf = new Map<string, number>();
  const endOf = new Map<string, JobEvent>();
  const running = new Set<string>();
  const clock = createPace(steps * waiting.length);
  const measure = openQuality(session.teacher, { engine: session.engine, images: config.images });
  for (const { configPath, config } of waiting) await writeJsonFile(configPath, config);

  const reported = (
    { id, variant, seed }: AblationJob,
    state: AblationRunEvent["state"],
    more: Partial<AblationRunEvent> = {},
  ): AblationRunEvent => {
    const summaries = summarise(rowsOf(session));
    return { kind: "ablationRun", id, variant, seed, state, ...more, summaries };
  };
  const settle = async (job: AblationJob): Promise<AblationRunEvent> => {
    const end = endOf.get(job.id);
    if (signal?.aborted && !end?.finished) return reported(job, "stopped");
    if (!end?.finished || end.path === undefined) {
      throw new Error(`Cannot use the run "${job.out}": expected it to finish`);
    }
    const quality = await measure(await studentOf(session, job, end.path));
    await storeResult(session, job, { quality, path: end.path });
    return reported(job, "finished", { quality });
  };
  const fail = (job: AblationJob, error: unknown): AblationRunEvent => {
    const text = error instanceof Error ? error.message : String(error);
    errors.set(job.id, text);
    return reported(job, "failed", { error: text });
  };

  const open = (job: AblationJob) => session.runJob(job, { signal, restart });
  const mayStart = () => !signal?.aborted;
  for await (const arrived of mergeSources(waiting, open, { limit, mayStart })) {
    const job = arrived.key;
    if (arrived.kind === "value") {
      const { value } = arrived;
      if (value.kind === "end") endOf.set(job.id, value);
      if (value.step === undefined) continue;
      clock.advance(value.kind === "start" ? 0 : value.step - (stepOf.get(job.id) ?? 0));
      if (value.kind === "start") clock.skip(value.step);
      stepOf.set(job.id, value.step);
      const event = clock.report();
      if (event) yield { kind: "ablationStep", ...event, running: [...running] };
      continue;
    }
    if (arrived.kind === "start") {
      running.add(job.id);
      yield reported(job, "started");
      continue;
    }
    running.delete(job.id);
    clock.skip(steps - (stepOf.get(job.id) ?? 0)); // of a run that failed: nothing is left of it
    if (arrived.kind === "failed") {
      // A process that was told to stop may end with an error: it goes on the next time.
      yield signal?.aborted ? reported(job, "stopped") : fail(job, arrived.error);
    } else yield await settle(job).catch((error) => fail(job, error));
  }
}
