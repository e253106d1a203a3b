/**
 * Distils a student from a teacher.
 *
 * @module
 */
import type { HostArray, PartSource, Weights } from "../core/contracts.ts";
import { flatLayout, flatten, unflatten } from "../core/flat.ts";
import { adamRates, type AdamState, averageDecay } from "../core/optimiser.ts";
import { prefixed, under } from "../core/params.ts";
import { createRandom } from "../core/random.ts";
import type { Engine } from "../engine/mod.ts";
import { imageGrid } from "../io/png.ts";
import { writeReport } from "../io/report.ts";
import { openRun, type Run } from "../io/run_folder.ts";
import { type DiscriminatorConfig, noiseShapes } from "../networks/config.ts";
import { initDiscriminator } from "../networks/discriminator.ts";
import { createStudent, type Student, type Teacher } from "../networks/generator.ts";
import { mobileSynthesisBuffers } from "../networks/mobile_synthesis.ts";
import { type DistillConfig, type DistillInput, parseConfig } from "./distill_config.ts";
import { createDistillSteps, mixingLayers, type StudentState } from "./distill_steps.ts";
import type { TrainingEvent } from "./events.ts";
import { openFeatureNetwork } from "./feature_network.ts";
import { generateImages } from "./generate_images.ts";
import { saveGenerator } from "./generator_file.ts";
import { type HeldOut, measureHeldOut, openHeldOut } from "./held_out.ts";
import { loadGenerator, loadTeacher } from "./load_generator.ts";
import { dueTerms, type LossChoice, prepareTerms, resolveTerms, type Term } from "./objective.ts";
import { comparableRecord, runMetadata } from "./run_metadata.ts";
import { scalarArray } from "./teacher_steps.ts";
import { trainingClock } from "./training_clock.ts";

/** What a distillation needs besides its configuration. */
export interface DistillContext {
  /** Computes the steps. */
  readonly engine: Engine;
  /** Where parts and losses are looked up. */
  readonly registry: PartSource;
  /** The teacher itself; else the configuration names its file. */
  readonly teacher?: Teacher | undefined;
  /** A student to start from; the configuration's `student` is then ignored. */
  readonly student?: Student | undefined;
  /** Folder of the run; `runs/<name>` by default. An existing run goes on. */
  readonly out?: string | undefined;
  /** Start over in an existing folder. */
  readonly restart?: boolean | undefined;
  /** Ends the run with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
  /** The command that repeats the run, for its report. */
  readonly command?: string | undefined;
}

/** Everything that changes, as a checkpoint keeps it. */
interface State {
  student: StudentState<HostArray>;
  discriminator: AdamState<HostArray>;
}

/** A run that is ready: what the loop works with. */
interface Session {
  readonly config: DistillConfig;
  readonly engine: Engine;
  readonly run: Run;
  readonly terms: readonly Term[];
  readonly steps: ReturnType<typeof createDistillSteps>;
  readonly state: State;
  readonly heldOut: HeldOut;
  readonly teacher: Teacher;
  readonly guard: ReturnType<typeof explosionGuard>;
  studentNow(): Student;
}

/**
 * Distils a student; yields events, prints nothing, and goes on where the run's last checkpoint is.
 *
 * Per step: latents and noise of the images' indices, the teacher once (styles, pyramid, features),
 * the student's gradients and update, and the discriminator's when an adversarial term has started.
 * The discriminator sees the student's images of the same step, as they were before the update.
 *
 * Source: MobileStyleGAN, arXiv:2104.04767, section 4.
 *
 * @throws {RangeError} If the configuration, the teacher or the run's folder does not fit.
 * @throws {Error} If a loss explodes or is no longer a number; the last checkpoint stands.
 */
export async function* distill(
  input: DistillInput,
  context: DistillContext,
): AsyncGenerator<TrainingEvent<Student>> {
  const config = parseConfig(input, context.registry);
  const teacher = context.teacher ?? await configuredTeacher(config, context.registry);
  const student = context.student ?? await startingStudent(config, teacher, context.registry);
  const out = context.out ?? `runs/${config.name}`;
  const record = { ...config, ...runMetadata(context.engine, { teacher, student }) };
  using run = await openRun(out, record, {
    restart: context.restart ?? false,
    comparable: (config) => comparableRecord(config, "steps"),
  });
  const session = await openSession({ config, teacher, student, run, context });
  yield* train(session, context);
}

async function* train(
  session: Session,
  { signal, command }: DistillContext,
): AsyncGenerator<TrainingEvent<Student>> {
  const { config, run, engine } = session;
  const { batch, steps } = config;
  let step = run.resumed?.counters["step"] ?? 0;
  const clock = trainingClock({ step, steps, batch });
  const kimg = () => step * batch / 1000;
  const { meanImagePsnrDb } = session.heldOut;
  const notes = [
    engine.description,
    `the teacher's mean image alone gives ${meanImagePsnrDb.toFixed(2)} dB`,
    ...run.resumed ? [`goes on from ${run.resumed.path}`] : [],
  ];
  const start = { kind: "start", run: run.dir, step, steps, notes } as const;
  run.append(start);
  yield start;

  const sampled = new Map<number, number>(); // PSNR by step: the best checkpoint is kept
  const sample = async () => {
    const { images, psnrDb } = await measureHeldOut(session.studentNow(), session.heldOut, engine);
    sampled.set(step, psnrDb);
    const grid = interleave(session.heldOut.teacherImages, images, 4, 8);
    const labels = Array.from({ length: 8 }, (_, i) => i % 2 ? "student" : "teacher");
    const png = await imageGrid(grid, { columns: 8, labels });
    const path = await run.sample(`pairs-${String(step).padStart(7, "0")}-steps.png`, png);
    const measures = { psnrDb, meanImagePsnrDb };
    const event = {
      kind: "sample",
      step,
      kimg: kimg(),
      columns: 8,
      labels,
      path,
      measures,
    } as const;
    run.append(event);
    return { ...event, images: grid };
  };
  const checkpoint = async () => {
    const counters = { images: step * batch, step };
    const score = sampled.get(step);
    const options = score === undefined ? {} : { score };
    const path = await run.checkpoint(checkpointArrays(session.state), counters, options);
    return { kind: "checkpoint", step, kimg: kimg(), path, student: session.studentNow() } as const;
  };

  const first = run.resumed ? undefined : await sample();
  if (first) yield first;
  let saved = run.resumed ? step : -1;
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
  } finally {
    // Also when the reader breaks out of the loop: nothing that was trained is lost.
    if (saved !== step && session.guard.healthy) await checkpoint();
  }
  const last = await sample();
  yield last;
  const trained = session.studentNow();
  const path = `${run.dir}/student.safetensors`;
  await saveGenerator(path, trained);
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

/** One iteration; the state is replaced in place. */
async function trainStep(session: Session, step: number): Promise<Record<string, number>> {
  const { config, steps, terms, state, teacher } = session;
  const at = { step, kimg: step * config.batch / 1000 };
  const studentTerms = dueTerms(terms, "student", at);
  const criticTerms = dueTerms(terms, "discriminator", at);
  const { z, mix, noise } = latents(config, teacher, step);
  const wantsFeatures = studentTerms.some(({ loss }) => loss.needs?.features);
  const batch = await steps.teacher(wantsFeatures)({ z, mix, noise });

  const random = createRandom(config.seed, "step", step);
  const needsCritic = studentTerms.some(({ loss }) => loss.needs?.discriminator);
  const student = await steps.student(studentTerms)({
    state: state.student,
    critic: needsCritic ? [state.discriminator.weights] : [],
    batch,
    noise,
    rates: scheduledRates(config, step),
    decay: scalarArray(averageDecay(config.batch, averageHalfLife(config, step))),
  }, { random });
  state.student = student.state;
  const losses = { ...scalars(student.values), gradientNorm: student.norm.data[0]! };
  if (criticTerms.length === 0) return losses;

  const { learningRate, beta1, beta2 } = config.discriminator;
  const rates = adamRates(learningRate, step + 1, { beta1, beta2, epsilon: 1e-8 });
  const critic = await steps.discriminator(criticTerms)({
    state: state.discriminator,
    fake: student.image,
    real: batch.scales.at(-1)!.teacherImage,
    rates: {
      rate: scalarArray(rates.rate),
      powerCorrection: scalarArray(rates.powerCorrection),
    },
  }, { random });
  state.discriminator = critic.state;
  return { ...losses, ...scalars(critic.values, "discriminator.") };
}

const scalars = (values: Readonly<Record<string, HostArray>>, prefix = "") =>
  Object.fromEntries(
    Object.entries(values).map(([name, { data }]) => [`${prefix}${name}`, data[0]!]),
  );

/** The random inputs of a step: functions of the seed and of the images' indices. */
function latents({ seed, batch, styleMixing }: DistillConfig, teacher: Teacher, step: number) {
  const first = step * batch;
  const d = teacher.config.styleDim;
  const copies = styleMixing > 0 ? 2 : 1;
  const z = new Float32Array(copies * batch * d);
  const layers = mixingLayers(teacher);
  const mask = new Float32Array(batch * layers);
  for (let i = 0; i < batch; i++) {
    z.set(createRandom(seed, "z", first + i).normal([d]).data, i * d);
    if (copies === 1) continue;
    const random = createRandom(seed, "mix", first + i);
    if (random.next() >= styleMixing) continue;
    z.set(random.normal([d]).data, (batch + i) * d);
    mask.fill(1, i * layers + 1 + random.integer(layers - 1), (i + 1) * layers);
  }
  const noise = createRandom(seed, "noise", first);
  return {
    z: { shape: [copies * batch, d], data: z },
    mix: copies === 1 ? [] : [{ shape: [batch, layers, 1], data: mask }],
    noise: noiseShapes(teacher.config.sizePx).map((shape) => noise.normal(shape)),
  };
}

/** Adam's factors at a step, with warm-up and decay of the rate. */
function scheduledRates({ optimiser, steps }: DistillConfig, step: number) {
  const warm = Math.min(1, (step + 1) / (optimiser.warmupSteps + 1));
  const decay = optimiser.decay === "cosine" ? 0.5 * (1 + Math.cos(Math.PI * step / steps)) : 1;
  const { rate, powerCorrection } = adamRates(
    optimiser.learningRate * warm * decay,
    step + 1,
    optimiser,
  );
  return { rate: scalarArray(rate), powerCorrection: scalarArray(powerCorrection) };
}

/** The average's half-life, at most a tenth of what was seen: early weights are soon forgotten. */
function averageHalfLife({ averageKimg, batch }: DistillConfig, step: number): number {
  return Math.min(averageKimg, 0.1 * (step + 1) * batch / 1000);
}

/** Refuses losses that are not finite, or a thousand times what they were. */
function explosionGuard(run: string) {
  const averages = new Map<string, number>();
  const guard = (losses: Readonly<Record<string, number>>, step: number) => {
    for (const [name, value] of Object.entries(losses)) {
      const usual = averages.get(name) ?? Math.abs(value);
      const exploded = step > 100 && Math.abs(value) > 1000 * Math.max(usual, 1e-3);
      if (!Number.isFinite(value) || exploded) {
        guard.healthy = false;
        throw new Error(
          `Cannot go on with the distillation: expected "${name}" to stay near ${
            usual.toPrecision(3)
          } but received ${value} at step ${step}; the checkpoints in "${run}" stand: go on with a lower "optimiser.learningRate" or a smaller "optimiser.clipNorm" in a new --out`,
        );
      }
      averages.set(name, 0.98 * usual + 0.02 * Math.abs(value));
    }
  };
  guard.healthy = true;
  return guard;
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

async function openSession(
  { config, teacher, student, run, context }: {
    readonly config: DistillConfig;
    readonly teacher: Teacher;
    readonly student: Student;
    readonly run: Run;
    readonly context: DistillContext;
  },
): Promise<Session> {
  const { engine, registry } = context;
  const terms = await prepareTerms(resolveTerms(config.losses as LossChoice[], registry), {
    sizePx: teacher.config.sizePx,
    teacherImages: (seeds) => generateImages(teacher, { seeds }, { engine }),
  });
  const buffers = new Set(mobileSynthesisBuffers(student.config, student.parts));
  const own = Object.entries(under(student.weights, "synthesis"));
  const trained = Object.fromEntries(own.filter(([name]) => !buffers.has(name)));
  const frozen = Object.fromEntries(own.filter(([name]) => buffers.has(name)));
  const layout = flatLayout(trained);
  const critic = startingDiscriminator(config, teacher);
  const criticLayout = flatLayout(critic.weights);
  const wantsFeatures = terms.some(({ loss, weight }) => loss.needs?.features && weight !== 0);
  const features = wantsFeatures ? await openFeatureNetwork(config, teacher, engine) : undefined;
  const vector = flatten(trained, layout);
  const state = restore(run) ?? {
    student: {
      weights: vector,
      mean: zerosLike(vector),
      power: zerosLike(vector),
      ...config.averageKimg > 0 && { average: vector },
    },
    discriminator: newAdam(flatten(critic.weights, criticLayout)),
  };
  return {
    config,
    engine,
    run,
    terms,
    state,
    teacher,
    heldOut: await openHeldOut(teacher, engine),
    guard: explosionGuard(run.dir),
    steps: createDistillSteps({
      engine,
      config,
      teacher,
      student,
      frozen,
      layout,
      critic: { config: critic.config, layout: criticLayout },
      features,
    }),
    studentNow: () => {
      const now = unflatten(state.student.average ?? state.student.weights, layout);
      return { ...student, weights: { ...student.weights, ...prefixed(now, "synthesis") } };
    },
  };
}

function startingDiscriminator(
  { discriminator, seed }: DistillConfig,
  teacher: Teacher,
): { readonly config: DiscriminatorConfig; readonly weights: Weights } {
  if (discriminator.initial === "teacher") {
    if (teacher.discriminator) return teacher.discriminator;
    throw new RangeError(
      'Cannot start from the teacher\'s discriminator: expected a teacher file that holds one but received one without; set "discriminator.initial" to "random"',
    );
  }
  const { sizePx, channels } = teacher.config;
  const config = { sizePx, channels, stddevGroup: 4 };
  return { config, weights: initDiscriminator(config, seed) };
}

const zerosLike = ({ shape, data }: HostArray): HostArray => ({
  shape,
  data: new Float32Array(data.length),
});

const newAdam = (weights: HostArray): AdamState<HostArray> => ({
  weights,
  mean: zerosLike(weights),
  power: zerosLike(weights),
});

function checkpointArrays({ student, discriminator }: State): Weights {
  return {
    ...prefixed(student as unknown as Weights, "student"),
    ...prefixed(discriminator as unknown as Weights, "discriminator"),
  };
}

function restore({ resumed }: Run): State | undefined {
  return resumed && {
    student: under(resumed.arrays, "student") as unknown as State["student"],
    discriminator: under(resumed.arrays, "discriminator") as unknown as State["discriminator"],
  };
}

/** Pairs of rows, teacher above student: `rows` pairs of `columns` images. */
function interleave(
  teacher: HostArray,
  student: HostArray,
  rows: number,
  columns: number,
): HostArray {
  const size = columns * teacher.shape.slice(1).reduce((product, n) => product * n, 1);
  const data = new Float32Array(2 * rows * size);
  for (let row = 0; row < rows; row++) {
    const part = [row * size, (row + 1) * size] as const;
    data.set(teacher.data.subarray(...part), 2 * row * size);
    data.set(student.data.subarray(...part), (2 * row + 1) * size);
  }
  return { shape: [2 * rows * columns, ...teacher.shape.slice(1)], data };
}
