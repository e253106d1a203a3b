/**
 * One iteration of a distillation.
 *
 * @module
 */
import type { HostArray } from "../core/contracts.ts";
import { createRandom } from "../core/random.ts";
import { disposeArrays, type EngineArray, readArrays } from "../engine/mod.ts";
import { teacherStyleCount } from "../networks/config.ts";
import type { DistillSession } from "./distill_session.ts";
import type { DistillState } from "./distill_state.ts";
import { type GradientSum, startingSum, sumOfValues } from "./gradient_sum.ts";
import { drawLatents, drawNoise, type Latents } from "./latents.ts";
import { inLanes, randomOfRows, splits, takeLatents } from "./micro_batches.ts";
import { dueTerms, type Term, termsKey } from "./objective.ts";
import { criticRates, studentRates } from "./step_rates.ts";
import type { Compute } from "./step_runner.ts";

/** A device computes ahead of the host until its losses are read: not in every step. */
const STEPS_PER_READING = 10;

/** One iteration; the state is replaced in place. No losses are given where none were read. */
export async function trainStep(
  session: DistillSession,
  step: number,
): Promise<Record<string, number>> {
  const losses = await takeStep(session, dueAt(session, step));
  const read = readsLosses(session, step) ? await readArrays(losses) : [];
  const values = sumOfValues(read);
  disposeArrays(losses);
  return values;
}

/** What a step computes with. */
export interface Due {
  readonly step: number;
  readonly student: readonly Term[];
  readonly discriminator: readonly Term[];
  readonly latents: Latents;
  readonly noise: readonly HostArray[];
  readonly wantsFeatures: boolean;
  /** The discriminator's weights, where a term of the student asks for them. */
  readonly critic: readonly EngineArray[];
}

type Losses = Readonly<Record<string, EngineArray>>;
/** What a step needs of a run. */
type Training = Pick<DistillSession, "config" | "steps" | "state" | "split" | "criticUpdates">;

/** What a step makes: the states that it changes, and values of which those of one name add up. */
interface Made {
  readonly state: Partial<DistillState>;
  readonly losses: readonly Losses[];
}

/** Computes a step, whole or split, and replaces the state; the values of one name add up. */
export async function takeStep(training: Training, due: Due): Promise<readonly Losses[]> {
  const { split, steps, state } = training;
  const isSplit = splits(split, [...due.student, ...due.discriminator]);
  const step = isSplit ? stepOfMicroBatches : stepOfBatch;
  const kind = `${termsKey(due.student)}, ${termsKey(due.discriminator)}`;
  const made = await steps.run(kind, (compute) => step(training, due, compute));
  disposeArrays(Object.keys(made.state).map((name) => state[name as keyof DistillState]));
  Object.assign(state, made.state);
  return made.losses;
}

function dueAt({ config, terms, state, teacher }: DistillSession, step: number): Due {
  const at = { step, kimg: step * config.batch / 1000 };
  const student = dueTerms(terms, "student", at);
  const first = step * config.batch;
  const { styleDim, sizePx } = teacher.config;
  const layers = teacherStyleCount(sizePx);
  const needsCritic = student.some(({ loss }) => loss.needs?.discriminator);
  return {
    step,
    student,
    discriminator: dueTerms(terms, "discriminator", at),
    latents: drawLatents({ ...config, styleDim, layers }, first),
    noise: drawNoise(config.seed, first, sizePx),
    wantsFeatures: student.some(({ loss }) => loss.needs?.features),
    critic: needsCritic ? [state.discriminator.weights] : [],
  };
}

/** Two graphs besides the teacher's: the student's step and the discriminator's. */
async function stepOfBatch(
  { config, steps, state, criticUpdates }: Training,
  due: Due,
  compute: Compute,
): Promise<Made> {
  const { step, latents, noise, critic } = due;
  const random = createRandom(config.seed, "step", step);
  const teacher = steps.teacher({ wantsFeatures: due.wantsFeatures, lanes: 1 });
  const batch = await compute(teacher, { ...latents, noise });
  const student = await compute(steps.student(due.student), {
    state: state.student,
    critic,
    batch,
    noise,
    ...studentRates(config, step),
  }, { random });
  const discriminator = due.discriminator.length > 0
    ? await compute(steps.discriminator(due.discriminator), {
      state: state.discriminator,
      fake: student.image,
      real: batch.scales.at(-1)!.teacherImage,
      rates: criticRates(config, criticUpdates(step)),
    }, { random })
    : undefined;
  disposeArrays([batch, student.image]);
  return {
    state: { student: student.state, ...discriminator && { discriminator: discriminator.state } },
    losses: [{
      ...student.values,
      gradientNorm: student.norm,
      ...ofDiscriminator(discriminator?.values ?? {}),
    }],
  };
}

/** What a lane has added up so far; nothing at first. */
type Sum = readonly GradientSum<EngineArray>[];

/** What the micro-batches of a lane add up to. */
interface Sums {
  readonly student: GradientSum<EngineArray>;
  readonly discriminator?: GradientSum<EngineArray> | undefined;
}

/** The same step: gradients of micro-batches are added, then both networks are updated. */
async function stepOfMicroBatches(
  training: Training,
  due: Due,
  compute: Compute,
): Promise<Made> {
  const { config, steps, state, criticUpdates } = training;
  const sums = await inLanes(training.split, (parts) => addUp(training, due, parts, compute));
  const gradients = sums.map(({ student }) => student.gradient);
  const student = await compute(steps.studentUpdate, {
    state: state.student,
    gradients,
    ...studentRates(config, due.step),
  });
  const criticGradients = sums.flatMap(({ discriminator }) => discriminator?.gradient ?? []);
  const discriminator = criticGradients.length > 0
    ? await compute(steps.discriminatorUpdate, {
      state: state.discriminator,
      gradients: criticGradients,
      rates: criticRates(config, criticUpdates(due.step)),
    })
    : undefined;
  disposeArrays([gradients, criticGradients]);
  return {
    state: { student: student.state, ...discriminator && { discriminator: discriminator.state } },
    losses: [
      ...sums.map(({ student }) => student.values),
      { gradientNorm: student.norm },
      ...sums.map(({ discriminator }) => ofDiscriminator(discriminator?.values ?? {})),
    ],
  };
}

/** Adds the gradients of some micro-batches, one after the other. */
async function addUp(
  { config, steps, state, split }: Training,
  due: Due,
  parts: readonly (readonly number[])[],
  compute: Compute,
): Promise<Sums> {
  const { step, noise, critic } = due;
  let sum: Sum = startingSum(split, state.student.weights, due.student);
  let criticSum: Sum = due.discriminator.length > 0
    ? startingSum(split, state.discriminator.weights, due.discriminator)
    : [];
  for (const rows of parts) {
    const all = createRandom(config.seed, "step", step);
    const random = randomOfRows(all, rows, config.batch);
    const latents = takeLatents(due.latents, rows);
    const teacher = steps.teacher({ wantsFeatures: due.wantsFeatures, lanes: split.lanes });
    const batch = await compute(teacher, { ...latents, noise });
    const { weights } = state.student;
    const given = { before: sum, weights, critic, batch, noise };
    const student = await compute(steps.studentGradients(due.student), given, { random });
    disposeArrays(sum);
    sum = [student.sum];
    if (due.discriminator.length > 0) {
      const made = await compute(steps.discriminatorGradients(due.discriminator), {
        before: criticSum,
        weights: state.discriminator.weights,
        fake: student.image,
        real: batch.scales.at(-1)!.teacherImage,
      }, { random });
      disposeArrays(criticSum);
      criticSum = [made.sum];
    }
    disposeArrays([batch, student.image]);
  }
  return { student: sum[0]!, discriminator: criticSum[0] };
}

function ofDiscriminator(values: Losses): Losses {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`discriminator.${name}`, value]),
  );
}

/** Whether somebody looks at what the step has made: always, where it costs nothing. */
function readsLosses({ engine, config }: DistillSession, step: number): boolean {
  const { steps, sampleSteps, checkpointSteps } = config;
  const done = step + 1;
  return engine.device === "cpu" || step === 0 || done === steps ||
    [STEPS_PER_READING, sampleSteps, checkpointSteps].some((every) => done % every === 0);
}
