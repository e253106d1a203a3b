/**
 * The loop of a distillation: steps, samples, checkpoints and the end.
 *
 * @module
 */
import { DeviceError } from "../engine/mod.ts";
import { imageGrid } from "../io/png.ts";
import { writeReport } from "../io/report.ts";
import type { Student } from "../networks/generator.ts";
import { withCheckpoint } from "./device_loss.ts";
import type { DistillSession } from "./distill_session.ts";
import { checkpointArrays } from "./distill_state.ts";
import { trainStep } from "./distill_step.ts";
import type { CheckpointEvent, EndEvent, StartEvent, TrainingEvent } from "./events.ts";
import { saveGenerator } from "./generator_file.ts";
import { type HeldOut, measureHeldOut, openHeldOut } from "./held_out.ts";
import { accumulationNotes } from "./micro_batches.ts";
import { pairGrid } from "./pair_grid.ts";
import { trainingClock } from "./training_clock.ts";
import { trainingMetadata } from "./training_record.ts";

/** How far a run is. */
interface Loop {
  readonly session: DistillSession;
  readonly heldOut: HeldOut;
  readonly clock: ReturnType<typeof trainingClock>;
  /** PSNR in dB by step: the best checkpoint is kept. */
  readonly sampled: Map<number, number>;
  /** Steps done. */
  step: number;
  /** Steps of the last checkpoint; -1 before the first. */
  saved: number;
  /** The last whole checkpoint. */
  stands: string | undefined;
}

type Sample = Awaited<ReturnType<typeof sample>>;

const kimgOf = ({ session, step }: Loop) => step * session.config.batch / 1000;

/** Trains from where the run is to its last step, or until the signal; see `distill()`. */
export async function* trainStudent(
  session: DistillSession,
  { signal, command }: {
    readonly signal?: AbortSignal | undefined;
    /** For the report. */
    readonly command?: string | undefined;
  },
): AsyncGenerator<TrainingEvent<Student>> {
  const { config: { batch, steps }, run, drawing } = session;
  const step = run.resumed?.counters["step"] ?? 0;
  const clock = trainingClock({ step, steps, batch });
  yield start(session, step);
  // Minutes on a CPU, with a large teacher.
  const heldOut = await openHeldOut(drawing, signal);
  await drawing.dispose();
  const [saved, stands] = run.resumed ? [step, run.resumed.path] : [-1, undefined];
  const loop: Loop = { session, heldOut, clock, sampled: new Map(), step, saved, stands };
  const first = run.resumed ? undefined : await sample(loop);
  if (first) yield first;
  yield* takeSteps(loop, signal);
  const last = await sample(loop);
  yield last;
  yield await finish(loop, { first, last, command });
}

function start({ config: { steps }, run, engine, split }: DistillSession, step: number) {
  const notes = [
    engine.description,
    ...accumulationNotes(split),
    ...run.resumed ? [`goes on from ${run.resumed.path}`] : [],
  ];
  const event: StartEvent = { kind: "start", run: run.dir, step, steps, notes };
  run.append(event);
  return event;
}

async function* takeSteps(
  loop: Loop,
  signal: AbortSignal | undefined,
): AsyncGenerator<TrainingEvent<Student>> {
  const { session, clock } = loop;
  const { config: { steps, sampleSteps, checkpointSteps }, run, guard } = session;
  let deviceFailed = false;
  try {
    while (loop.step < steps && !signal?.aborted) {
      const losses = await trainStep(session, loop.step);
      guard(losses, loop.step);
      loop.step++;
      const event = clock.tick(loop.step, losses);
      run.append(event);
      yield event;
      if (loop.step % sampleSteps === 0 && loop.step < steps) yield await sample(loop);
      if (loop.step % checkpointSteps === 0) {
        yield await checkpoint(loop);
      }
    }
  } catch (error) {
    deviceFailed = error instanceof DeviceError; // and what lay on it is gone
    throw withCheckpoint(error, loop.stands);
  } finally {
    // Also when the reader breaks out of the loop: nothing that was trained is lost.
    if (loop.saved !== loop.step && guard.healthy && !deviceFailed) await save(loop);
  }
}

/** Measures the student, and draws it below its teacher. */
async function sample(loop: Loop) {
  const { session, heldOut, step } = loop;
  const { run, engine } = session;
  const student = await session.studentNow();
  const { images: drawn, psnrDb } = await measureHeldOut(student, heldOut, engine);
  if (Number.isNaN(psnrDb)) {
    throw new Error(
      `Cannot go on with the distillation: expected the student's images to be numbers but received NaN at step ${step}; if a plugin has a part in it, testPlugin() tells which`,
    );
  }
  loop.sampled.set(step, psnrDb);
  const { images, columns, labels } = pairGrid(heldOut.teacherImages, drawn);
  const png = await imageGrid(images, { columns, labels });
  const path = await run.sample(`pairs-${String(step).padStart(7, "0")}-steps.png`, png);
  const measures = { psnrDb, meanImagePsnrDb: heldOut.meanImagePsnrDb };
  const kimg = kimgOf(loop);
  const event = { kind: "sample", step, kimg, columns, labels, path, measures } as const;
  run.append(event);
  return { ...event, images };
}

/** Writes a checkpoint and returns its path. */
async function save(loop: Loop): Promise<string> {
  const { session: { config, run, state }, sampled, step } = loop;
  const counters = { images: step * config.batch, step };
  const score = sampled.get(step);
  const options = score === undefined ? {} : { score };
  loop.stands = await run.checkpoint(await checkpointArrays(state), counters, options);
  loop.saved = step;
  return loop.stands;
}

async function checkpoint(loop: Loop): Promise<CheckpointEvent<Student>> {
  const { session, step } = loop;
  const path = await save(loop);
  const student = await session.studentNow();
  return { kind: "checkpoint", step, kimg: kimgOf(loop), path, student };
}

/** Writes the student, its picture and the report. */
async function finish(
  loop: Loop,
  { first, last, command }: {
    /** Before the first step, unless the run was resumed. */
    readonly first: Sample | undefined;
    readonly last: Sample;
    readonly command: string | undefined;
  },
): Promise<EndEvent<Student>> {
  const { session: { config, run, terms, studentNow }, heldOut, clock, step } = loop;
  const student = await studentNow();
  const path = `${run.dir}/student.safetensors`;
  await saveGenerator(path, student, { metadata: trainingMetadata(config, terms) });
  const { columns, labels } = last;
  const scale = Math.ceil(128 / student.config.sizePx);
  await run.write("comparison.png", await imageGrid(last.images, { columns, labels, scale }));
  const finished = step >= config.steps;
  const summary = {
    psnrDb: last.measures.psnrDb,
    ...first && { startPsnrDb: first.measures.psnrDb },
    meanImagePsnrDb: heldOut.meanImagePsnrDb,
    ...clock.summary(),
  };
  const end = { kind: "end", finished, step, kimg: kimgOf(loop), path, summary } as const;
  run.append(end);
  await writeReport(run.dir, { command });
  return { ...end, student };
}
