/**
 * What an ablation works with, and what is known of its runs.
 *
 * @module
 */
import { basename, join } from "node:path";
import type { Engine } from "../../engine/mod.ts";
import { readJsonFile, writeJsonFile } from "../../io/json_file.ts";
import {
  type Student,
  studentConfig,
  type StudentParts,
  type Teacher,
} from "../../networks/generator.ts";
import { type AblateConfig, type AblateInput, parseAblateConfig } from "../ablate_config.ts";
import { distill } from "../distill.ts";
import { readGenerator } from "../generator_file.ts";
import { loadTeacher } from "../load_generator.ts";
import { checksumOf } from "../run_metadata.ts";
import { type AblationJob, jobsOf, type RunJob } from "./jobs.ts";
import { type Counts, countsOf, type Quality, type Times } from "./measures.ts";
import type { AblationRow } from "./table.ts";
import type { ListedParts } from "./variants.ts";

/** What an ablation needs besides its configuration. */
export interface AblateContext {
  /** Measures, and distils unless `runJob` does. */
  readonly engine: Engine;
  /** Where parts, losses and variants are looked up. */
  readonly registry: ListedParts;
  /** The teacher itself; else the base names its file. */
  readonly teacher?: Teacher | undefined;
  /** Folder of everything that is written; `runs/<name>` by default. It goes on where it stopped. */
  readonly out?: string | undefined;
  /** Forget results and runs in that folder. */
  readonly restart?: boolean | undefined;
  /** Ends every run with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
  /** Runs at a time; more than one needs a `runJob` that uses other processes. */
  readonly jobs?: number | undefined;
  /** Distils a job somewhere else; by default here, one after another. */
  readonly runJob?: RunJob | undefined;
}

/** What is kept of a run that finished. */
export interface StoredResult {
  readonly config: unknown;
  /** Checksum of the teacher. */
  readonly teacher: string;
  readonly quality: Quality;
  /** Name of the student's file in the run's folder. */
  readonly path: string;
}

/** An ablation that is ready. */
export interface AblateSession {
  readonly engine: Engine;
  readonly registry: ListedParts;
  readonly runJob: RunJob;
  readonly config: AblateConfig;
  readonly teacher: Teacher;
  readonly out: string;
  readonly restart: boolean;
  /** Runs at a time. */
  readonly limit: number;
  readonly signal: AbortSignal | undefined;
  readonly jobs: readonly AblationJob[];
  /** By the name of the variant. */
  readonly counts: ReadonlyMap<string, Counts>;
  /** By the id of the job; filled while it runs. */
  readonly results: Map<string, StoredResult>;
  /** Why a job failed. */
  readonly errors: Map<string, string>;
}

/** Checks everything and reads earlier results. */
export async function openSession(
  input: AblateInput,
  context: AblateContext,
): Promise<AblateSession> {
  const { engine, registry, signal, restart = false, jobs: limit = 1 } = context;
  const config = parseAblateConfig(input, registry);
  if (!Number.isInteger(limit) || limit < 1 || (limit > 1 && !context.runJob)) {
    throw new RangeError(
      `Cannot run the ablation: expected "jobs" to be ${
        context.runJob ? "an integer of at least 1" : "1 without a runJob"
      } but received ${limit}`,
    );
  }
  const teacher = context.teacher ?? await configuredTeacher(config, registry);
  const out = context.out ?? `runs/${config.name}`;
  const jobs = jobsOf(config, out, registry);
  const counts = variantCounts(jobs, teacher, registry);
  const results = restart ? new Map() : await storedResults(jobs, out, teacher);
  const runJob: RunJob = context.runJob ?? ((job, options) =>
    distill(job.config, {
      engine,
      registry,
      teacher,
      out: job.out,
      ...options,
    }));
  const errors = new Map<string, string>();
  const common = { engine, registry, runJob, config, teacher, out, restart, limit, signal };
  return { ...common, jobs, counts, results, errors };
}

async function configuredTeacher(
  { base, name }: AblateConfig,
  registry: ListedParts,
): Promise<Teacher> {
  if (base.teacher) return await loadTeacher(base.teacher, { registry });
  throw new RangeError(
    `Cannot run the ablation "${name}": expected a teacher but received none; give --teacher FILE, or "teacher" in the base`,
  );
}

/** Counts every variant, so that one that is no student of this teacher is refused at once. */
function variantCounts(
  jobs: readonly AblationJob[],
  teacher: Teacher,
  registry: ListedParts,
): ReadonlyMap<string, Counts> {
  const counts = new Map<string, Counts>();
  for (const { variant, config } of jobs) {
    if (counts.has(variant)) continue;
    const { channels, ...parts } = config.student;
    const student = studentConfig(teacher.config, {
      ...parts as StudentParts,
      ...channels && { channels },
    });
    try {
      counts.set(variant, countsOf(student, registry));
    } catch (error) {
      const reason = (error as Error).message.replace(/^Cannot [^:]*: /, "");
      throw new RangeError(`Cannot run the variant "${variant}": ${reason}`, { cause: error });
    }
  }
  return counts;
}

const resultPath = (out: string, id: string) => `${out}/results/${id}.json`;

const sameJson = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** The results of an earlier process that are still those of the same runs. */
async function storedResults(
  jobs: readonly AblationJob[],
  out: string,
  teacher: Teacher,
): Promise<Map<string, StoredResult>> {
  const checksum = checksumOf(teacher.weights);
  const results = new Map<string, StoredResult>();
  for (const { id, config } of jobs) {
    const stored = await readJsonFile(resultPath(out, id)) as StoredResult | undefined;
    if (stored?.teacher === checksum && sameJson(stored.config, config)) results.set(id, stored);
  }
  return results;
}

/** Keeps the result of a run. */
export async function storeResult(
  { out, results, teacher }: AblateSession,
  { id, config }: AblationJob,
  { quality, path }: Pick<StoredResult, "quality" | "path">,
): Promise<void> {
  const stored = { config, teacher: checksumOf(teacher.weights), quality, path: basename(path) };
  await writeJsonFile(resultPath(out, id), stored);
  results.set(id, stored);
}

/** The student of a run. */
export async function studentOf(
  { registry }: AblateSession,
  job: AblationJob,
  path: string,
): Promise<Student> {
  const file = join(job.out, basename(path));
  const generator = await readGenerator(file, { registry });
  if (generator.kind === "student") return generator;
  throw new TypeError(`Cannot measure "${file}": expected a student but received a teacher`);
}

/** What is known of every run. */
export function rowsOf(
  { config, jobs, results, errors, counts }: AblateSession,
  times: Readonly<Record<string, Times>> = {},
): AblationRow[] {
  const byName = new Map(config.variants.map((variant) => [variant.name, variant]));
  return jobs.map(({ id, variant, seed }) => {
    const { field, value } = byName.get(variant)!;
    const error = errors.get(id);
    return {
      variant,
      field,
      value,
      seed,
      ...results.get(id)?.quality,
      ...counts.get(variant)!,
      ...times[variant],
      ...error !== undefined && { error },
    };
  });
}
