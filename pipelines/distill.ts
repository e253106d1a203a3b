/**
 * Distils a student from a teacher.
 *
 * @module
 */
import type { PartSource } from "../core/contracts.ts";
import { DeviceError, disposeArrays, type Engine, engineScope } from "../engine/mod.ts";
import { imageGrid } from "../io/png.ts";
import { writeReport } from "../io/report.ts";
import { openRun } from "../io/run_folder.ts";
import {
  createStudent,
  expectTeacher,
  type Generator,
  type Student,
  type Teacher,
  withMappingOf,
} from "../networks/generator.ts";
import { withCheckpoint } from "./device_loss.ts";
import { type DistillConfig, type DistillInput, parseConfig } from "./distill_config.ts";
import { type DistillSession, openSession } from "./distill_session.ts";
import { checkpointArrays } from "./distill_state.ts";
import { trainStep } from "./distill_step.ts";
import type { TrainingEvent } from "./events.ts";
import { saveGenerator } from "./generator_file.ts";
import { measureHeldOut, openHeldOut } from "./held_out.ts";
import { loadGenerator, loadTeacher } from "./load_generator.ts";
import { accumulationNotes } from "./micro_batches.ts";
import { pairGrid } from "./pair_grid.ts";
import { comparableRecord, runMetadata } from "./run_metadata.ts";
import { trainingMetadata } from "./training_record.ts";
import { trainingClock } from "./training_clock.ts";

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
  using left = new DisposableStack();
  left.defer(() => disposeArrays(session.state));
  yield* train(session, context);
}

async function* train(
  session: DistillSession,
  { signal, command }: DistillContext,
): AsyncGenerator<TrainingEvent<Student>> {
  const { config, run, engine } = session;
  const { batch, steps } = config;
  let step = run.resumed?.counters["step"] ?? 0;
  const clock = trainingClock({ step, steps, batch });
  const kimg = () => step * batch / 1000;
  const notes = [
    engine.description,
    ...accumulationNotes(session.split),
    ...run.resumed ? [`goes on from ${run.resumed.path}`] : [],
  ];
  const start = { kind: "start", run: run.dir, step, steps, notes } as const;
  run.append(start);
  yield start;

  // Minutes on a CPU, with a large teacher.
  const heldOut = await openHeldOut(session.teacher, engine, signal);
  const { meanImagePsnrDb } = heldOut;
  const sampled = new Map<number, number>(); // PSNR by step: the best checkpoint is kept
  const sample = async () => {
    const student = await session.studentNow();
    const { images, psnrDb } = await measureHeldOut(student, heldOut, engine);
    if (Number.isNaN(psnrDb)) {
      throw new Error(
        `Cannot go on with the distillation: expected the student's images to be numbers but received NaN at step ${step}; if a plugin has a part in it, testPlugin() tells which`,
      );
    }
    sampled.set(step, psnrDb);
    const { images: grid, columns, labels } = pairGrid(heldOut.teacherImages, images);
    const png = await imageGrid(grid, { columns, labels });
    const path = await run.sample(`pairs-${String(step).padStart(7, "0")}-steps.png`, png);
    const measures = { psnrDb, meanImagePsnrDb };
    const event = {
      kind: "sample",
      step,
      kimg: kimg(),
      columns,
      labels,
      path,
      measures,
    } as const;
    run.append(event);
    return { ...event, images: grid };
  };
  let stands = run.resumed?.path; // the last whole checkpoint
  const checkpoint = async () => {
    const counters = { images: step * batch, step };
    const score = sampled.get(step);
    const options = score === undefined ? {} : { score };
    const path = await run.checkpoint(await checkpointArrays(session.state), counters, options);
    stands = path;
    return {
      kind: "checkpoint",
      step,
      kimg: kimg(),
      path,
      student: await session.studentNow(),
    } as const;
  };

  const first = run.resumed ? undefined : await sample();
  if (first) yield first;
  let saved = run.resumed ? step : -1;
  let deviceFailed = false;
  try {
    while (step < steps && !signal?.aborted) {
      const losses = await trainStep(session, step);
      session.guard(losses, step);
      step++;
      const event = clock.tick(step, losses);
      run.append(event);
      yield event;
      if (step % config.sampleSteps === 0 && step < steps) yield await sample();
      if (step % config.checkpointSteps === 0) {
        yield await checkpoint();
        saved = step;
      }
    }
  } catch (error) {
    deviceFailed = error instanceof DeviceError; // and what lay on it is gone
    throw withCheckpoint(error, stands);
  } finally {
    // Also when the reader breaks out of the loop: nothing that was trained is lost.
    if (saved !== step && session.guard.healthy && !deviceFailed) await checkpoint();
  }
  const last = await sample();
  yield last;
  const trained = await session.studentNow();
  const path = `${run.dir}/student.safetensors`;
  const metadata = trainingMetadata(config, session.terms);
  await saveGenerator(path, trained, { metadata });
  const pairs = {
    columns: last.columns,
    labels: last.labels,
    scale: Math.ceil(128 / trained.config.sizePx),
  };
  await run.write("comparison.png", await imageGrid(last.images, pairs));
  const end = {
    kind: "end",
    finished: step >= steps,
    step,
    kimg: kimg(),
    path,
    summary: {
      psnrDb: last.measures.psnrDb,
      ...first && { startPsnrDb: first.measures.psnrDb },
      meanImagePsnrDb,
      ...clock.summary(),
    },
  } as const;
  run.append(end);
  await writeReport(run.dir, { command });
  yield { ...end, student: trained };
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
