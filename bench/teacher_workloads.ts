/**
 * The steps of StyleGAN2's training, as a run takes them.
 *
 * @module
 */
import type { HostArray, Weights } from "../core/contracts.ts";
import { flatten } from "../core/flat.ts";
import { scalarArray } from "../core/host_array.ts";
import { disposeArrays, type Engine, type EngineArray } from "../engine/mod.ts";
import type { Program } from "../engine/program.ts";
import { adversarialLoss } from "../losses/adversarial.ts";
import { r1Loss } from "../losses/r1.ts";
import { type GradientSum, startingSum } from "../pipelines/gradient_sum.ts";
import {
  inLanes,
  microBatchRows,
  type Split,
  splitOf,
  splits,
  takeLatents,
  takeRows,
} from "../pipelines/micro_batches.ts";
import { teacherLayouts } from "../pipelines/teacher_gradients.ts";
import { createTeacherSteps } from "../pipelines/teacher_steps.ts";
import { below, GAMMA, type Scenario, STDDEV_GROUP } from "./scenarios.ts";
import { noiseOf, rates, term, valueOf, type Workload, zeros } from "./workload.ts";

const adversarial = term(adversarialLoss, adversarialLoss.options.parse({}));
const r1 = term(r1Loss, { gamma: GAMMA }, 16);

function teacherTraining(engine: Engine, { network, batch }: Scenario, arrays: Weights) {
  const { sizePx, channels } = network;
  const generator = below(arrays, "teacher/");
  const critic = below(arrays, "discriminator/");
  const layouts = teacherLayouts(generator, critic);
  const discriminator = { sizePx, channels, stddevGroup: STDDEV_GROUP };
  const split = splitOf(engine, { batch, accumulate: 1, group: STDDEV_GROUP, sizePx });
  return {
    split,
    steps: createTeacherSteps(engine, { network, discriminator, split }, layouts),
    generator: flatten(generator, layouts.generator),
    critic: flatten(critic, layouts.discriminator),
  };
}

type Sum = readonly GradientSum<HostArray | EngineArray>[];

/** The gradients and values of the parts of a step, which every lane adds up. */
async function computeParts(
  split: Split,
  first: () => Sum,
  compute: (
    rows: readonly number[],
    before: Sum,
  ) => Promise<{ readonly sum: GradientSum<EngineArray>; readonly fake?: EngineArray }>,
) {
  const sums = await inLanes(split, async (parts) => {
    let before = first();
    for (const rows of parts) {
      const { sum, fake } = await compute(rows, before);
      disposeArrays([before, fake]);
      before = [sum];
    }
    return before[0]!;
  });
  return {
    gradients: sums.map(({ gradient }) => gradient),
    values: sums.map(({ values }) => values),
  };
}

/** The programs of all parts, which are alike. */
function partsOf(split: Split, program: (rows: readonly number[]) => Program): Program[] {
  const rows = microBatchRows(split);
  return rows.map(() => program(rows[0]!));
}

/** The generator's step. */
export function generatorStep(engine: Engine, scenario: Scenario, arrays: Weights): Workload {
  const { steps, generator, critic, split } = teacherTraining(engine, scenario, arrays);
  const terms = [adversarial];
  const step = steps.generatorStep(terms);
  const decay = scalarArray(0.99);
  const batch = {
    z: arrays["mixing/z"]!,
    mix: [arrays["mixing/mix"]!],
    noise: noiseOf(arrays),
    rates,
    decay,
  };
  let inputs: Parameters<typeof step>[0] = {
    state: { weights: generator, power: zeros(generator) },
    average: generator,
    critic,
    batch,
  };
  const first = () => startingSum(split, generator, terms);
  const part = (rows: readonly number[], before: Sum = first()) => ({
    before,
    weights: inputs.state.weights,
    critic,
    batch: { ...batch, ...takeLatents(batch, rows) },
  });
  const inParts = async () => {
    const compute = steps.generatorPart(terms);
    const { gradients, values } = await computeParts(
      split,
      first,
      (rows, before) => compute(part(rows, before)),
    );
    const { state, average } = inputs;
    const made = await steps.generatorUpdate({ state, average, gradients, rates, decay });
    disposeArrays(gradients);
    return { ...made, values };
  };
  const whole = async () => {
    const { values, fake, ...made } = await step(inputs);
    disposeArrays(fake);
    return { ...made, values: [values] };
  };
  return {
    images: scenario.batch,
    async run() {
      const { state, average, values } = await (splits(split, terms) ? inParts : whole)();
      disposeArrays([inputs.state, inputs.average]);
      inputs = { ...inputs, state, average };
      return await valueOf(values, terms);
    },
    programs: () =>
      Promise.resolve(
        splits(split, terms)
          ? partsOf(split, (rows) => steps.generatorPart(terms).program(part(rows)))
          : [step.program(inputs)],
      ),
  };
}

/** The discriminator's step, with R1 if wanted. */
export function discriminatorStep(
  engine: Engine,
  scenario: Scenario,
  arrays: Weights,
  { lazy }: { readonly lazy: boolean },
): Workload {
  const terms = lazy ? [adversarial, r1] : [adversarial];
  const { steps, critic, split } = teacherTraining(engine, scenario, arrays);
  const step = steps.discriminatorStep(terms);
  const [fake, real] = [arrays["batch/fake"]!, arrays["batch/real"]!];
  let inputs: Parameters<typeof step>[0] = {
    state: { weights: critic, power: zeros(critic) },
    fake,
    real,
    rates,
  };
  const first = () => startingSum(split, critic, terms);
  const part = (rows: readonly number[], before: Sum = first()) => ({
    before,
    weights: inputs.state.weights,
    fake: takeRows(fake, rows),
    real: takeRows(real, rows),
  });
  const inParts = async () => {
    const compute = steps.discriminatorPart(terms);
    const { gradients, values } = await computeParts(
      split,
      first,
      (rows, before) => compute(part(rows, before)),
    );
    const made = await steps.discriminatorUpdate({ state: inputs.state, gradients, rates });
    disposeArrays(gradients);
    return { ...made, values };
  };
  const whole = async () => {
    const { state, values } = await step(inputs);
    return { state, values: [values] };
  };
  return {
    images: scenario.batch,
    async run() {
      const { state, values } = await (splits(split, terms) ? inParts : whole)();
      disposeArrays(inputs.state);
      inputs = { ...inputs, state };
      return await valueOf(values, terms);
    },
    programs: () =>
      Promise.resolve(
        splits(split, terms)
          ? partsOf(split, (rows) => steps.discriminatorPart(terms).program(part(rows)))
          : [step.program(inputs)],
      ),
  };
}
