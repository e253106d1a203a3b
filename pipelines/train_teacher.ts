/**
 * Trains a StyleGAN2 teacher.
 *
 * @module
 */
import type { PartSource } from "../core/contracts.ts";
import { flatten, unflatten } from "../core/flat.ts";
import type { ImageSource } from "../data/image_source.ts";
import { disposeArrays, type Engine, engineScope, readArrays } from "../engine/mod.ts";
import { imageGrid } from "../io/png.ts";
import { openRun, type Run } from "../io/run_folder.ts";
import { initDiscriminator } from "../networks/discriminator.ts";
import { createTeacher, type Teacher } from "../networks/generator.ts";
import { withCheckpoint } from "./device_loss.ts";
import type { TrainingEvent } from "./events.ts";
import { estimateMeanStyle, generateImages } from "./generate_images.ts";
import { saveGenerator } from "./generator_file.ts";
import { accumulationNotes, microBatchRows } from "./micro_batches.ts";
import { type LossChoice, resolveTerms } from "./objective.ts";
import { openImages, readReal } from "./real_batches.ts";
import { comparableRecord, environmentOf } from "./run_metadata.ts";
import { checkpointArrays, initialState, restoreState } from "./teacher_state.ts";
import { trainStep } from "./teacher_step.ts";
import { teacherLayouts } from "./teacher_gradients.ts";
import { createTeacherSteps } from "./teacher_steps.ts";
import {
  parseTeacherConfig,
  type TrainTeacherConfig,
  type TrainTeacherInput,
} from "./train_teacher_config.ts";
import { trainingClock } from "./training_clock.ts";

/** What the training needs besides its configuration. */
export interface TrainTeacherContext {
  /** Computes the steps. */
  readonly engine: Engine;
  /** Where parts and losses are looked up. */
  readonly registry: PartSource;
  /** The real images; else the configuration's `data` names them. */
  readonly images?: ImageSource | undefined;
  /** Folder of the run; `runs/<name>` by default. An existing run goes on. */
  readonly out?: string | undefined;
  /** Start over in an existing folder. */
  readonly restart?: boolean | undefined;
  /** Ends the run with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
}

const SAMPLE_SEEDS = Array.from({ length: 64 }, (_, i) => i);

/**
 * Trains a teacher; yields events, prints nothing, and goes on where the run's last checkpoint is.
 *
 * The generator's step and the discriminator's alternate; the discriminator is shown the images that
 * the generator's step made. Lazy terms are added to the main term of their step. With `accumulate`,
 * gradients of micro-batches are added first; see `micro_batches.ts` for the terms that look across
 * images.
 *
 * Source: Karras et al., CVPR 2020 (StyleGAN2); schedule of the R1 weight and of the average as in
 * Karras et al., NeurIPS 2020 (ADA).
 *
 * @throws {Error} If a loss is no longer a number; the last checkpoint stands.
 */
export async function* trainTeacher(
  input: TrainTeacherInput,
  context: TrainTeacherContext,
): AsyncGenerator<TrainingEvent<Teacher>> {
  const { registry, signal, restart = false } = context;
  await using engine = engineScope(context.engine); // which is used for the next run, too
  const config = parseTeacherConfig(input, registry);
  const images = context.images ?? await openImages(config);
  const record = { ...config, environment: environmentOf(engine) };
  using run = await openRun(context.out ?? `runs/${config.name}`, record, {
    restart,
    comparable: (config) => comparableRecord(config, "kimg"),
  });
  const terms = resolveTerms(config.losses as LossChoice[], registry);
  const initial = createTeacher(config.network, { seed: config.seed });
  const { "mapping.w_mean": _, ...generatorWeights } = initial.weights;
  const criticWeights = initDiscriminator(config.discriminator, config.seed);
  const layouts = teacherLayouts(generatorWeights, criticWeights);
  const { batch, accumulate } = config;
  const split = { batch, accumulate, group: config.discriminator.stddevGroup };
  if (accumulate > 1) microBatchRows(split); // refuses before anything is computed
  const training = { config, terms, split, steps: createTeacherSteps(engine, config, layouts) };
  const state = restoreState(run) ?? initialState(
    flatten(generatorWeights, layouts.generator),
    flatten(criticWeights, layouts.discriminator),
  );
  using left = new DisposableStack();
  left.defer(() => disposeArrays(state));
  let step = run.resumed?.counters["step"] ?? 0;
  const total = Math.ceil(config.kimg * 1000 / config.batch);
  const clock = trainingClock({ step, steps: total, batch: config.batch });
  yield {
    kind: "start",
    run: run.dir,
    step,
    steps: total,
    notes: [engine.description, images.name, ...accumulationNotes(split)],
  };

  const teacherNow = async (): Promise<Teacher> => {
    const { average, discriminator } = await readArrays(state);
    const teacher: Teacher = {
      kind: "teacher",
      config: config.network,
      weights: { ...initial.weights, ...unflatten(average, layouts.generator) },
      discriminator: {
        config: config.discriminator,
        weights: unflatten(discriminator.weights, layouts.discriminator),
      },
    };
    const meanStyle = await estimateMeanStyle(teacher, { engine });
    return { ...teacher, weights: { ...teacher.weights, "mapping.w_mean": meanStyle } };
  };
  let stands = run.resumed?.path; // the last whole checkpoint
  const save = async () => {
    const counters = { images: step * config.batch, step };
    return stands = await run.checkpoint(await checkpointArrays(state), counters);
  };
  const checkpoint = async () => {
    const path = await save();
    const kimg = step * config.batch / 1000;
    return { kind: "checkpoint", step, kimg, path, student: await teacherNow() } as const;
  };
  const sample = async () => {
    const kimg = step * config.batch / 1000;
    const grid = await generateImages(await teacherNow(), { seeds: SAMPLE_SEEDS }, { engine });
    const name = `fakes-${String(Math.round(kimg)).padStart(6, "0")}-kimg.png`;
    const path = await run.sample(name, await imageGrid(grid, { columns: 16 }));
    return { kind: "sample", step, kimg, images: grid, columns: 16, path, measures: {} } as const;
  };

  let saved = step;
  let realBatch = readReal(images, config, step);
  let isLeft = true; // by the reader, in the middle
  try {
    while (step < total && !signal?.aborted) {
      const real = await realBatch;
      realBatch = readReal(images, config, step + 1); // while the graph runs
      const readsLosses = engine.device === "cpu" || lossesAreDue(config, step + 1, total);
      const losses = await trainStep(state, training, { step, real, readsLosses })
        .catch(async (error) => {
          await realBatch;
          throw withCheckpoint(error, stands);
        });
      refuseNotFinite(losses, step, run);
      step++;
      const event = clock.tick(step, losses);
      run.append(event);
      yield event;
      if (isDue(step, config.sampleKimg, config.batch)) yield await sample();
      if (isDue(step, config.checkpointKimg, config.batch)) {
        yield await checkpoint();
        saved = step;
      }
    }
    isLeft = false;
  } catch (error) {
    isLeft = false;
    throw error;
  } finally {
    await Promise.allSettled([realBatch]);
    if (isLeft && saved !== step) await save(); // nothing that was trained is lost
  }
  await realBatch;
  if (saved !== step) yield await checkpoint();
  yield await sample();
  const student = await teacherNow();
  const path = `${run.dir}/teacher.safetensors`;
  await saveGenerator(path, student, { dtype: "F16" });
  const kimg = step * config.batch / 1000;
  const summary = { kimg, ...clock.summary() };
  yield { kind: "end", finished: step >= total, step, kimg, summary, path, student };
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
