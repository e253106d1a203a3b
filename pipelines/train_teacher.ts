/**
 * Trains a StyleGAN2 teacher.
 *
 * @module
 */
import type { HostArray, PartSource, Weights } from "../core/contracts.ts";
import { flatten, unflatten } from "../core/flat.ts";
import { scalarArray, zerosLike } from "../core/host_array.ts";
import { adamRates, averageDecay } from "../core/optimiser.ts";
import { prefixed, under } from "../core/params.ts";
import { createRandom } from "../core/random.ts";
import { openAvatars } from "../data/avatars.ts";
import { openImageFolder } from "../data/image_folder.ts";
import type { ImageSource } from "../data/image_source.ts";
import {
  disposeArrays,
  type Engine,
  type EngineArray,
  engineScope,
  readArrays,
} from "../engine/mod.ts";
import { imageGrid } from "../io/png.ts";
import { openRun, type Run } from "../io/run_folder.ts";
import { teacherStyleCount } from "../networks/config.ts";
import { initDiscriminator } from "../networks/discriminator.ts";
import { createTeacher, type Teacher } from "../networks/generator.ts";
import type { TrainingEvent } from "./events.ts";
import { estimateMeanStyle, generateImages } from "./generate_images.ts";
import { withCheckpoint } from "./device_loss.ts";
import { saveGenerator } from "./generator_file.ts";
import { drawLatents, drawNoise } from "./latents.ts";
import { comparableRecord, environmentOf } from "./run_metadata.ts";
import { dueTerms, type LossChoice, resolveTerms } from "./objective.ts";
import {
  createTeacherSteps,
  GAN_ADAM,
  type GeneratorBatch,
  teacherLayouts,
} from "./teacher_steps.ts";
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

/** Everything that changes, wherever the engine keeps it. */
interface State {
  generator: { readonly weights: EngineArray; readonly power: EngineArray };
  average: EngineArray;
  discriminator: { readonly weights: EngineArray; readonly power: EngineArray };
}

const SAMPLE_SEEDS = Array.from({ length: 64 }, (_, i) => i);

/**
 * Trains a teacher; yields events, prints nothing, and goes on where the run's last checkpoint is.
 *
 * The generator's step and the discriminator's alternate; the discriminator is shown the images that
 * the generator's step made. Lazy terms are added to the main term of their step.
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
  const steps = createTeacherSteps(engine, config, layouts);
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
    notes: [engine.description, images.name],
  };

  const teacherNow = async (): Promise<Teacher> => {
    const { average, discriminator } = await readArrays(state);
    return {
      kind: "teacher",
      config: config.network,
      weights: { ...initial.weights, ...unflatten(average, layouts.generator) },
      discriminator: {
        config: config.discriminator,
        weights: unflatten(discriminator.weights, layouts.discriminator),
      },
    };
  };
  let stands = run.resumed?.path; // the last whole checkpoint
  const checkpoint = async () => {
    const path = await run.checkpoint(await checkpointArrays(state), {
      images: step * config.batch,
      step,
    });
    stands = path;
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
  while (step < total && !signal?.aborted) {
    const kimg = step * config.batch / 1000;
    const real = await realBatch;
    realBatch = readReal(images, config, step + 1); // while the graph runs
    const readsLosses = engine.device === "cpu" || lossesAreDue(config, step + 1, total);
    const losses = await trainStep(state, steps, { config, terms, step, kimg, real, readsLosses })
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
  await realBatch;
  if (saved !== step) yield await checkpoint();
  yield await sample();
  const now = await teacherNow();
  const meanStyle = await estimateMeanStyle(now, { engine });
  const student: Teacher = { ...now, weights: { ...now.weights, "mapping.w_mean": meanStyle } };
  const path = `${run.dir}/teacher.safetensors`;
  await saveGenerator(path, student, { dtype: "F16" });
  const kimg = step * config.batch / 1000;
  const summary = { kimg, ...clock.summary() };
  yield { kind: "end", finished: step >= total, step, kimg, summary, path, student };
}

/** One generator and one discriminator update; the state is replaced in place. */
async function trainStep(
  state: State,
  steps: ReturnType<typeof createTeacherSteps>,
  { config, terms, step, kimg, real, readsLosses }: {
    readonly readsLosses: boolean;
    readonly config: TrainTeacherConfig;
    readonly terms: ReturnType<typeof resolveTerms>;
    readonly step: number;
    readonly kimg: number;
    readonly real: HostArray;
  },
): Promise<Record<string, number>> {
  const random = createRandom(config.seed, "step", step);
  const batch = generatorBatch(config, step);
  const generator = await steps.generatorStep(dueTerms(terms, "student", { step, kimg }))({
    state: state.generator,
    average: state.average,
    critic: state.discriminator.weights,
    batch,
  }, { random });
  const critic = await steps.discriminatorStep(dueTerms(terms, "discriminator", { step, kimg }))({
    state: state.discriminator,
    fake: generator.fake,
    real,
    rates: batch.rates,
  }, { random });
  disposeArrays([state, generator.fake]);
  state.generator = generator.state;
  state.average = generator.average;
  state.discriminator = critic.state;
  const losses = {
    ...named(generator.values, "generator"),
    ...named(critic.values, "discriminator"),
  };
  const read = readsLosses ? await readArrays(losses) : {};
  disposeArrays(losses);
  return Object.fromEntries(Object.entries(read).map(([name, { data }]) => [name, data[0]!]));
}

function named(values: Readonly<Record<string, EngineArray>>, side: string) {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`${side}.${name}`, value]),
  );
}

/** What a generator step is fed. */
function generatorBatch(config: TrainTeacherConfig, step: number): GeneratorBatch<HostArray> {
  const { seed, batch, network, averageKimg, averageRampUp } = config;
  const first = step * batch;
  const { styleDim, sizePx } = network;
  const layers = teacherStyleCount(sizePx);
  const { rate, powerCorrection } = adamRates(config.learningRate, step + 1, GAN_ADAM);
  const halfLife = Math.min(averageKimg, averageRampUp * (first + batch) / 1000);
  return {
    ...drawLatents({ ...config, styleDim, layers }, first),
    noise: drawNoise(seed, first, sizePx),
    rates: { rate: scalarArray(rate), powerCorrection: scalarArray(powerCorrection) },
    decay: scalarArray(averageDecay(batch, halfLife)),
  };
}

/** The real images that a configuration names. */
async function openImages({ data, network: { sizePx } }: TrainTeacherConfig): Promise<ImageSource> {
  return data === "avatars"
    ? await openAvatars({ sizePx })
    : await openImageFolder({ folder: data, sizePx });
}

async function readReal(
  images: ImageSource,
  { seed, batch, dataImages, flips }: TrainTeacherConfig,
  step: number,
): Promise<HostArray> {
  const draws = Array.from({ length: batch }, (_, i) => {
    const random = createRandom(seed, "real", step * batch + i);
    const index = random.integer(Math.min(dataImages, images.length));
    return { index, flipped: flips && random.next() < 0.5 };
  });
  const real = await images.batch(draws.map(({ index }) => index));
  draws.forEach(({ flipped }, i) => flipped && mirror(real, i));
  return real;
}

/** Mirrors one image of a batch in place. */
function mirror({ shape, data }: HostArray, image: number): void {
  const [, height, width, channels] = shape as [number, number, number, number];
  for (let y = 0; y < height; y++) {
    const row = (image * height + y) * width * channels;
    for (let x = 0; x < width / 2; x++) {
      for (let c = 0; c < channels; c++) {
        const [a, b] = [row + x * channels + c, row + (width - 1 - x) * channels + c];
        [data[a], data[b]] = [data[b]!, data[a]!];
      }
    }
  }
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

function initialState(generator: HostArray, critic: HostArray): State {
  return {
    generator: { weights: generator, power: zerosLike(generator) },
    average: generator,
    discriminator: { weights: critic, power: zerosLike(critic) },
  };
}

async function checkpointArrays(state: State): Promise<Weights> {
  const { generator, average, discriminator } = await readArrays(state);
  return {
    average,
    ...prefixed(generator, "generator"),
    ...prefixed(discriminator, "discriminator"),
  };
}

function restoreState({ resumed }: Run): State | undefined {
  if (!resumed) return undefined;
  const { arrays } = resumed;
  return {
    generator: under(arrays, "generator") as unknown as State["generator"],
    average: arrays["average"]!,
    discriminator: under(arrays, "discriminator") as unknown as State["discriminator"],
  };
}
