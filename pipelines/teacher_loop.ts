/**
 * The loop of a teacher's training: steps, samples, checkpoints and the end.
 *
 * @module
 */
import { imageGrid } from "../io/png.ts";
import type { Run } from "../io/run_folder.ts";
import type { Teacher } from "../networks/generator.ts";
import { withCheckpoint } from "./device_loss.ts";
import type { CheckpointEvent, EndEvent, SampleEvent, TrainingEvent } from "./events.ts";
import { generateImages } from "./generate_images.ts";
import { saveGenerator } from "./generator_file.ts";
import { accumulationNotes } from "./micro_batches.ts";
import { readReal } from "./real_batches.ts";
import type { TeacherSession } from "./teacher_session.ts";
import { checkpointArrays } from "./teacher_state.ts";
import { trainStep } from "./teacher_step.ts";
import type { TrainTeacherConfig } from "./train_teacher_config.ts";
import { trainingClock } from "./training_clock.ts";

/** How far a run is. */
interface Loop {
  readonly session: TeacherSession;
  readonly clock: ReturnType<typeof trainingClock>;
  /** Steps of the whole run. */
  readonly total: number;
  /** Steps done. */
  step: number;
  /** Steps of the last checkpoint, or of the start. */
  saved: number;
  /** The last whole checkpoint. */
  stands: string | undefined;
}

const SAMPLE_SEEDS = Array.from({ length: 64 }, (_, i) => i);
const SAMPLE_COLUMNS = 16;

const kimgOf = ({ session, step }: Loop) => step * session.config.batch / 1000;

/** Trains from where the run is to its last step, or until the signal; see `trainTeacher()`. */
export async function* trainNetworks(
  session: TeacherSession,
  signal: AbortSignal | undefined,
): AsyncGenerator<TrainingEvent<Teacher>> {
  const { config: { batch, kimg }, run, engine, images, training } = session;
  const step = run.resumed?.counters["step"] ?? 0;
  const total = Math.ceil(kimg * 1000 / batch);
  const clock = trainingClock({ step, steps: total, batch });
  const loop: Loop = { session, clock, total, step, saved: step, stands: run.resumed?.path };
  const notes = [engine.description, images.name, ...accumulationNotes(training.split)];
  yield { kind: "start", run: run.dir, step, steps: total, notes };
  yield* takeSteps(loop, signal);
  if (loop.saved !== loop.step) yield await checkpoint(loop);
  yield await sample(loop);
  yield await finish(loop);
}

async function* takeSteps(
  loop: Loop,
  signal: AbortSignal | undefined,
): AsyncGenerator<TrainingEvent<Teacher>> {
  const { session: { config, run, engine, images, training, state }, clock, total } = loop;
  let realBatch = readReal(images, config, loop.step);
  let isLeft = true; // by the reader, in the middle
  try {
    while (loop.step < total && !signal?.aborted) {
      const real = await realBatch;
      realBatch = readReal(images, config, loop.step + 1); // while the graph runs
      const readsLosses = engine.device === "cpu" || lossesAreDue(config, loop.step + 1, total);
      const losses = await trainStep(state, training, { step: loop.step, real, readsLosses })
        .catch(async (error) => {
          await realBatch;
          throw withCheckpoint(error, loop.stands);
        });
      refuseNotFinite(losses, loop.step, run);
      loop.step++;
      const event = clock.tick(loop.step, losses);
      run.append(event);
      yield event;
      if (isDue(loop.step, config.sampleKimg, config.batch)) yield await sample(loop);
      if (isDue(loop.step, config.checkpointKimg, config.batch)) {
        yield await checkpoint(loop);
      }
    }
    isLeft = false;
  } catch (error) {
    isLeft = false;
    throw error;
  } finally {
    await Promise.allSettled([realBatch]);
    if (isLeft && loop.saved !== loop.step) await save(loop); // nothing that was trained is lost
  }
  await realBatch;
}

/** Writes a checkpoint and returns its path. */
async function save(loop: Loop): Promise<string> {
  const { session: { config, run, state }, step } = loop;
  const counters = { images: step * config.batch, step };
  loop.stands = await run.checkpoint(await checkpointArrays(state), counters);
  loop.saved = step;
  return loop.stands;
}

async function checkpoint(loop: Loop): Promise<CheckpointEvent<Teacher>> {
  const { session, step } = loop;
  const path = await save(loop);
  return {
    kind: "checkpoint",
    step,
    kimg: kimgOf(loop),
    path,
    student: await session.teacherNow(),
  };
}

/** Draws images of fixed seeds. */
async function sample(loop: Loop): Promise<SampleEvent> {
  const { session: { engine, run, teacherNow }, step } = loop;
  const kimg = kimgOf(loop);
  const columns = SAMPLE_COLUMNS;
  const images = await generateImages(await teacherNow(), { seeds: SAMPLE_SEEDS }, { engine });
  const name = `fakes-${String(Math.round(kimg)).padStart(6, "0")}-kimg.png`;
  const path = await run.sample(name, await imageGrid(images, { columns }));
  return { kind: "sample", step, kimg, images, columns, path, measures: {} };
}

/** Writes the teacher. */
async function finish(loop: Loop): Promise<EndEvent<Teacher>> {
  const { session: { run, teacherNow }, clock, step, total } = loop;
  const student = await teacherNow();
  const path = `${run.dir}/teacher.safetensors`;
  await saveGenerator(path, student, { dtype: "F16" });
  const kimg = kimgOf(loop);
  const summary = { kimg, ...clock.summary() };
  return { kind: "end", finished: step >= total, step, kimg, summary, path, student };
}

/** A device computes ahead of the host until its losses are read: not in every step. */
function lossesAreDue(
  { sampleKimg, checkpointKimg, batch }: TrainTeacherConfig,
  done: number,
  total: number,
): boolean {
  return done === 1 || done === total || done % 10 === 0 || isDue(done, sampleKimg, batch) ||
    isDue(done, checkpointKimg, batch);
}

function isDue(step: number, everyKimg: number, batch: number): boolean {
  const every = Math.max(1, Math.round(everyKimg * 1000 / batch));
  return step % every === 0;
}

function refuseNotFinite(losses: Record<string, number>, step: number, run: Run): void {
  for (const [name, value] of Object.entries(losses)) {
    if (Number.isFinite(value)) continue;
    throw new Error(
      `Cannot go on with the training: expected finite losses but "${name}" is ${value} at step ${step}; the checkpoints in "${run.dir}" stand`,
    );
  }
}
