/**
 * Distils a student from a teacher.
 *
 * @module
 */
import type { PartSource } from "../core/contracts.ts";
import { disposeArrays, type Engine, engineScope } from "../engine/mod.ts";
import { openRun } from "../io/run_folder.ts";
import {
  createStudent,
  expectTeacher,
  type Generator,
  type Student,
  type Teacher,
  withMappingOf,
} from "../networks/generator.ts";
import { type DistillConfig, type DistillInput, parseConfig } from "./distill_config.ts";
import { trainStudent } from "./distill_loop.ts";
import { openSession } from "./distill_session.ts";
import type { TrainingEvent } from "./events.ts";
import { loadGenerator, loadTeacher } from "./load_generator.ts";
import { comparableRecord, runMetadata } from "./run_metadata.ts";

/** What a distillation needs besides its configuration. */
export interface DistillContext {
  /** Computes the steps. */
  readonly engine: Engine;
  /** Where parts and losses are looked up. */
  readonly registry: PartSource;
  /** The teacher itself; else the configuration names its file. */
  readonly teacher?: Generator | undefined;
  /**
   * A student to start from; the configuration's `student` is then ignored, and its mapping network
   * becomes the teacher's.
   */
  readonly student?: Student | undefined;
  /** Folder of the run; `runs/<name>` by default. An existing run goes on. */
  readonly out?: string | undefined;
  /** Start over in an existing folder. */
  readonly restart?: boolean | undefined;
  /** Ends the run with a checkpoint; while it prepares, by an `AbortError`. */
  readonly signal?: AbortSignal | undefined;
  /** The command that repeats the run, for its report. */
  readonly command?: string | undefined;
}

/**
 * Distils a student; yields events, prints nothing, and goes on where the run's last checkpoint is.
 *
 * Per step: latents and noise of the images' indices, the teacher once (styles, pyramid, features),
 * the student's gradients and update, and the discriminator's when an adversarial term has started.
 * The discriminator sees the student's images of the same step, as they were before the update.
 * With `accumulate`, gradients of micro-batches are added first; see `micro_batches.ts` for the
 * terms that look across images.
 *
 * Source: MobileStyleGAN, arXiv:2104.04767, section 4.
 *
 * @throws {RangeError} If the configuration, the teacher or the run's folder does not fit.
 * @throws {Error} If a loss explodes or is no longer a number; the last checkpoint stands.
 * @throws {DeviceError} If the device is lost or full; the message names the last checkpoint.
 */
export async function* distill(
  input: DistillInput,
  context: DistillContext,
): AsyncGenerator<TrainingEvent<Student>> {
  const config = parseConfig(input, context.registry);
  const teacher = context.teacher
    ? expectTeacher(context.teacher)
    : await configuredTeacher(config, context.registry);
  const student = withMappingOf(
    teacher,
    context.student ?? await startingStudent(config, teacher, context.registry),
  );
  const out = context.out ?? `runs/${config.name}`;
  const record = { ...config, ...runMetadata(context.engine, { teacher, student }) };
  using run = await openRun(out, record, {
    restart: context.restart ?? false,
    comparable: (config) => comparableRecord(config, "steps"),
  });
  await using engine = engineScope(context.engine); // which is used for the next run, too
  const { registry } = context;
  const session = await openSession({ config, teacher, student, run, engine, registry });
  await using left = new AsyncDisposableStack();
  left.defer(() => disposeArrays(session.state));
  left.defer(session.ahead.end);
  yield* trainStudent(session, context);
}

async function configuredTeacher(config: DistillConfig, registry: PartSource): Promise<Teacher> {
  if (!config.teacher) {
    throw new RangeError(
      `Cannot distil "${config.name}": expected a teacher but received none; give --teacher FILE, or "teacher" in the configuration`,
    );
  }
  return await loadTeacher(config.teacher, { registry });
}

async function startingStudent(
  config: DistillConfig,
  teacher: Teacher,
  registry: PartSource,
): Promise<Student> {
  const { channels, ...parts } = config.student;
  const fresh = createStudent(teacher, {
    ...parts as Parameters<typeof createStudent>[1],
    ...channels && { channels },
  }, { registry, seed: config.seed });
  if (!config.initialStudent) return fresh;
  const loaded = await loadGenerator(config.initialStudent, { registry, which: "student" });
  if (loaded.kind === "student") return loaded;
  throw new TypeError(
    `Cannot start from "${config.initialStudent}": expected a student but received a teacher`,
  );
}
