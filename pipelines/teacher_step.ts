/**
 * One iteration of a teacher's training.
 *
 * @module
 */
import type { HostArray } from "../core/contracts.ts";
import { scalarArray } from "../core/host_array.ts";
import { adamRates, averageDecay } from "../core/optimiser.ts";
import { createRandom } from "../core/random.ts";
import { disposeArrays, type EngineArray, readArrays } from "../engine/mod.ts";
import { teacherStyleCount } from "../networks/config.ts";
import { type GradientSum, startingSum, sumOfValues } from "./gradient_sum.ts";
import { drawLatents, drawNoise } from "./latents.ts";
import {
  inLanes,
  randomOfRows,
  type Split,
  splits,
  takeLatents,
  takeRows,
} from "./micro_batches.ts";
import { dueTerms, type Term, termsKey } from "./objective.ts";
import type { Compute } from "./step_runner.ts";
import type { TeacherState } from "./teacher_state.ts";
import type { GeneratorBatch } from "./teacher_gradients.ts";
import { type createTeacherSteps, GAN_ADAM } from "./teacher_steps.ts";
import type { TrainTeacherConfig } from "./train_teacher_config.ts";

/** What an iteration computes with. */
export interface TeacherTraining {
  readonly config: TrainTeacherConfig;
  readonly terms: readonly Term[];
  readonly steps: ReturnType<typeof createTeacherSteps>;
  /** How a step's batch is split. */
  readonly split: Split;
}

/** The real images of a step, and whether anybody looks at its losses. */
interface At {
  readonly step: number;
  readonly real: HostArray;
  readonly readsLosses: boolean;
}

type Losses = Readonly<Record<string, EngineArray>>;

/** One generator and one discriminator update; the state is replaced in place. */
export async function trainStep(
  state: TeacherState,
  training: TeacherTraining,
  at: At,
): Promise<Record<string, number>> {
  const { config, terms } = training;
  const { step } = at;
  const when = { step, kimg: step * config.batch / 1000 };
  const due = {
    step,
    real: at.real,
    batch: generatorBatch(config, step),
    generator: dueTerms(terms, "student", when),
    discriminator: dueTerms(terms, "discriminator", when),
  };
  const isSplit = splits(training.split, [...due.generator, ...due.discriminator]);
  const take = isSplit ? stepOfMicroBatches : stepOfBatch;
  const kind = `${termsKey(due.generator)}, ${termsKey(due.discriminator)}`;
  const made = await training.steps.run(kind, (compute) => take(state, training, due, compute));
  disposeArrays(state);
  Object.assign(state, made.state);
  const { losses } = made;
  const read = at.readsLosses ? await readArrays(losses) : [];
  const values = sumOfValues(read);
  disposeArrays(losses);
  return values;
}

/** Everything of an iteration but the state. */
interface Due {
  readonly step: number;
  readonly real: HostArray;
  readonly batch: GeneratorBatch<HostArray>;
  readonly generator: readonly Term[];
  readonly discriminator: readonly Term[];
}

/** What a step makes: the next state, and values of which those of one name add up. */
interface Made {
  readonly state: TeacherState;
  readonly losses: readonly Losses[];
}

/** Two graphs: the generator's step and the discriminator's. */
async function stepOfBatch(
  state: TeacherState,
  { config, steps }: TeacherTraining,
  { step, real, batch, ...due }: Due,
  compute: Compute,
): Promise<Made> {
  const random = createRandom(config.seed, "step", step);
  const generator = await compute(steps.generatorStep(due.generator), {
    state: state.generator,
    average: state.average,
    critic: state.discriminator.weights,
    batch,
  }, { random });
  const critic = await compute(steps.discriminatorStep(due.discriminator), {
    state: state.discriminator,
    fake: generator.fake,
    real,
    rates: batch.rates,
  }, { random });
  disposeArrays(generator.fake);
  return {
    state: {
      generator: generator.state,
      average: generator.average,
      discriminator: critic.state,
    },
    losses: [{ ...named(generator.values, "generator"), ...named(critic.values, "discriminator") }],
  };
}

/** What a lane has added up so far; nothing at first. */
type Sum = readonly GradientSum<EngineArray>[];

/** What the micro-batches of a lane add up to. */
interface Sums {
  readonly generator: GradientSum<EngineArray>;
  readonly discriminator: GradientSum<EngineArray>;
}

/** The same step: gradients of micro-batches are added, then both networks are updated. */
async function stepOfMicroBatches(
  state: TeacherState,
  training: TeacherTraining,
  due: Due,
  compute: Compute,
): Promise<Made> {
  const { steps, split } = training;
  const sums = await inLanes(split, (parts) => addUp(state, training, { ...due, parts }, compute));
  const { rates, decay } = due.batch;
  const gradients = {
    generator: sums.map(({ generator }) => generator.gradient),
    discriminator: sums.map(({ discriminator }) => discriminator.gradient),
  };
  const generator = await compute(steps.generatorUpdate, {
    state: state.generator,
    average: state.average,
    gradients: gradients.generator,
    rates,
    decay,
  });
  const discriminator = await compute(steps.discriminatorUpdate, {
    state: state.discriminator,
    gradients: gradients.discriminator,
    rates,
  });
  disposeArrays(gradients);
  return {
    state: {
      generator: generator.state,
      average: generator.average,
      discriminator: discriminator.state,
    },
    losses: [
      ...sums.map(({ generator }) => named(generator.values, "generator")),
      ...sums.map(({ discriminator }) => named(discriminator.values, "discriminator")),
    ],
  };
}

/** Adds the gradients of some micro-batches, one after the other. */
async function addUp(
  state: TeacherState,
  { config, steps, split }: TeacherTraining,
  { step, real, batch, parts, ...due }: Due & { readonly parts: readonly (readonly number[])[] },
  compute: Compute,
): Promise<Sums> {
  const critic = state.discriminator.weights;
  let sum: Sum = startingSum(split, state.generator.weights, due.generator);
  let criticSum: Sum = startingSum(split, critic, due.discriminator);
  for (const rows of parts) {
    const random = randomOfRows(createRandom(config.seed, "step", step), rows, config.batch);
    const generator = await compute(steps.generatorPart(due.generator), {
      before: sum,
      weights: state.generator.weights,
      critic,
      batch: { ...batch, ...takeLatents(batch, rows) },
    }, { random });
    const made = await compute(steps.discriminatorPart(due.discriminator), {
      before: criticSum,
      weights: critic,
      fake: generator.fake,
      real: takeRows(real, rows),
    }, { random });
    disposeArrays([sum, criticSum, generator.fake]);
    [sum, criticSum] = [[generator.sum], [made.sum]];
  }
  return { generator: sum[0]!, discriminator: criticSum[0]! };
}

function named(values: Losses, side: string): Losses {
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
