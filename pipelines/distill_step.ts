/**
 * One iteration of a distillation.
 *
 * @module
 */
import { createRandom } from "../core/random.ts";
import { disposeArrays, type EngineArray, readArrays } from "../engine/mod.ts";
import type { DistillSession } from "./distill_session.ts";
import type { DistillState } from "./distill_state.ts";
import type { TeacherBatch } from "./distill_steps.ts";
import { drawAt, type Due, dueAt, goesOn, kindOf } from "./due.ts";
import { type GradientSum, startingSum, sumOfValues } from "./gradient_sum.ts";
import { inLanes, randomOfRows, splits, takeLatents } from "./micro_batches.ts";
import { criticRates, studentRates } from "./step_rates.ts";
import type { Compute } from "./step_runner.ts";
import type { Begun, Drawn } from "./teacher_ahead.ts";

/** A device computes ahead of the host until its losses are read: not in every step. */
const STEPS_PER_READING = 10;

/** One iteration; the state is replaced in place. No losses are given where none were read. */
export async function trainStep(
  session: DistillSession,
  step: number,
): Promise<Record<string, number>> {
  const begun = session.ahead.take(step);
  const due = dueAt(session, step, begun?.drawn ?? drawAt(session, step));
  const next = () => goesOn(session, step) ? drawAt(session, step + 1) : undefined;
  const { losses, ahead } = await takeStep(session, due, { begun, next });
  session.ahead.put(ahead);
  const read = readsLosses(session, step) ? await readArrays(losses) : [];
  const values = sumOfValues(read);
  disposeArrays(losses);
  return values;
}

type Losses = Readonly<Record<string, EngineArray>>;
/** What a step needs of a run. */
type Training = Pick<DistillSession, "config" | "steps" | "state" | "split" | "criticUpdates">;

/** What lanes compute of other steps than theirs. */
interface Neighbours {
  /** What was begun of this step before. */
  readonly begun?: Begun | undefined;
  /** What a next step of the same kind draws: lanes that are done begin with its teacher. */
  readonly next?: () => Drawn | undefined;
}

/** What a step has to do. */
interface Task extends Neighbours {
  readonly due: Due;
  readonly compute: Compute;
}

/** What a step makes: the states that it changes, and values of which those of one name add up. */
interface Made {
  readonly state: Partial<DistillState>;
  readonly losses: readonly Losses[];
  readonly ahead?: Begun | undefined;
}

/** Computes a step, whole or split, and replaces the state; the values of one name add up. */
export async function takeStep(
  training: Training,
  due: Due,
  neighbours: Neighbours = {},
): Promise<Pick<Made, "losses" | "ahead">> {
  const { split, steps, state } = training;
  const isSplit = splits(split, [...due.student, ...due.discriminator]);
  const step = isSplit ? stepOfMicroBatches : stepOfBatch;
  const made = await steps.run(
    kindOf(due),
    (compute) => step(training, { ...neighbours, due, compute }),
  );
  disposeArrays(Object.keys(made.state).map((name) => state[name as keyof DistillState]));
  Object.assign(state, made.state);
  return made;
}

/** Two graphs besides the teacher's: the student's step and the discriminator's. */
async function stepOfBatch(
  { config, steps, state, criticUpdates }: Training,
  { due, compute }: Task,
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
async function stepOfMicroBatches(training: Training, task: Task): Promise<Made> {
  const { config, steps, state, criticUpdates, split } = training;
  const { due, compute } = task;
  const batches = new Map<number, Promise<TeacherBatch<EngineArray>>>();
  let drawn: Drawn | undefined;
  const sums = await inLanes(split, async (parts) => {
    const sum = await addUp(training, task, parts);
    drawn ??= split.lanes > 1 ? task.next?.() : undefined;
    if (drawn) {
      const batch = teach(training, { ...due, ...drawn }, parts[0]!, compute);
      batch.catch(() => {}); // told to the step that takes it
      batches.set(parts[0]![0]!, batch);
    }
    return sum;
  });
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
    ahead: drawn && { drawn, batches },
  };
}

/** The teacher's batch of some images. */
function teach(
  { steps, split: { lanes } }: Training,
  { latents, noise, wantsFeatures }: Due,
  rows: readonly number[],
  compute: Compute,
): Promise<TeacherBatch<EngineArray>> {
  return compute(steps.teacher({ wantsFeatures, lanes }), { ...takeLatents(latents, rows), noise });
}

/** Adds the gradients of some micro-batches, one after the other. */
async function addUp(
  training: Training,
  { due, begun, compute }: Task,
  parts: readonly (readonly number[])[],
): Promise<Sums> {
  const { config, steps, state, split } = training;
  const { step, noise, critic } = due;
  let sum: Sum = startingSum(split, state.student.weights, due.student);
  let criticSum: Sum = due.discriminator.length > 0
    ? startingSum(split, state.discriminator.weights, due.discriminator)
    : [];
  for (const rows of parts) {
    const all = createRandom(config.seed, "step", step);
    const random = randomOfRows(all, rows, config.batch);
    const batch = await (begun?.batches.get(rows[0]!) ?? teach(training, due, rows, compute));
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
