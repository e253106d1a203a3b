/**
 * The compiled steps of StyleGAN2's training: one graph each for the generator's and the
 * discriminator's gradients and update.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import { adam, type AdamOptions, type AdamRates, movingAverage } from "../core/optimiser.ts";
import type { Engine } from "../engine/mod.ts";
import { addShare, type GradientSum, sumOfLanes } from "./gradient_sum.ts";
import type { Split } from "./micro_batches.ts";
import { type Term, termsKey } from "./objective.ts";
import { stepRunner } from "./step_runner.ts";
import {
  type GeneratorInputs,
  type Pair,
  teacherGradients,
  type TeacherLayouts,
  type TeacherNetworks,
} from "./teacher_gradients.ts";

/** StyleGAN2's Adam: no first moment (Karras et al., CVPR 2020, appendix B). */
export const GAN_ADAM: AdamOptions = { beta1: 0, beta2: 0.99, epsilon: 1e-8 };

/** Weights of a network and the second moments of their gradients, flat `[size]`. */
export interface NetworkState<T> {
  readonly weights: T;
  readonly power: T;
}

/** What an update is fed: the sums of gradients of all lanes. */
interface Update {
  readonly state: NetworkState<tf.Tensor>;
  readonly gradients: readonly tf.Tensor[];
  readonly rates: AdamRates<tf.Tensor>;
}

type Gradients = ReturnType<typeof teacherGradients>;

function update(
  state: NetworkState<tf.Tensor>,
  gradient: tf.Tensor,
  rates: AdamRates<tf.Tensor>,
): NetworkState<tf.Tensor> {
  const { weights, power } = adam(state, gradient, rates, GAN_ADAM);
  return { weights, power };
}

/** Makes the step functions, whole and in micro-batches; every set of due terms is compiled once. */
export function createTeacherSteps(
  engine: Engine,
  config: TeacherNetworks & {
    /** How a step's batch is split. */
    readonly split: Split;
  },
  layouts: TeacherLayouts,
) {
  const gradients = teacherGradients(config, layouts);
  return {
    /** Runs a step of these graphs. */
    run: stepRunner(engine),
    ...generatorSteps(engine, gradients.generator, config.split),
    ...discriminatorSteps(engine, gradients.discriminator, config.split),
  };
}

/** The generator's step, a micro-batch of it, and the update by the sum of these. */
function generatorSteps(engine: Engine, gradients: Gradients["generator"], split: Split) {
  const generatorStep = (terms: readonly Term[]) =>
    engine.compile(
      (
        { state, average, ...inputs }: GeneratorInputs & {
          readonly state: NetworkState<tf.Tensor>;
          readonly average: tf.Tensor;
        },
        { random },
      ) => {
        const { gradient, ...made } = gradients(terms)(state.weights, inputs, random);
        const next = update(state, gradient, inputs.batch.rates);
        const { decay } = inputs.batch;
        return { ...made, state: next, average: movingAverage(average, next.weights, decay) };
      },
      {
        name: `generator step (${termsKey(terms)})`,
        resident: ["fake", "values", "state", "average"],
      },
    );

  const generatorPart = (terms: readonly Term[]) =>
    engine.compile(
      (
        { before, weights, ...inputs }: GeneratorInputs & {
          readonly before: readonly GradientSum<tf.Tensor>[];
          readonly weights: tf.Tensor;
        },
        { random },
      ) => {
        const { fake, ...own } = gradients(terms)(weights, inputs, random);
        return { fake, sum: addShare(before, own, split.accumulate) };
      },
      {
        name: `generator gradients (${termsKey(terms)})`,
        resident: ["fake", "sum"],
        lanes: split.lanes,
      },
    );

  const generatorUpdate = engine.compile(
    (
      { state, average, gradients, rates, decay }: Update & {
        readonly average: tf.Tensor;
        readonly decay: tf.Tensor;
      },
    ) => {
      const next = update(state, sumOfLanes(gradients), rates);
      return { state: next, average: movingAverage(average, next.weights, decay) };
    },
    { name: "generator update", resident: ["state", "average"] },
  );
  return {
    generatorStep: once(generatorStep),
    generatorPart: once(generatorPart),
    generatorUpdate,
  };
}

/** The same for the discriminator. */
function discriminatorSteps(
  engine: Engine,
  gradients: Gradients["discriminator"],
  split: Split,
) {
  const discriminatorStep = (terms: readonly Term[]) =>
    engine.compile(
      (
        { state, rates, ...pair }: Pair<tf.Tensor> & {
          readonly state: NetworkState<tf.Tensor>;
          readonly rates: AdamRates<tf.Tensor>;
        },
        { random },
      ) => {
        const { gradient, values } = gradients(terms)(state.weights, pair, random);
        return { values, state: update(state, gradient, rates) };
      },
      { name: `discriminator step (${termsKey(terms)})`, resident: ["values", "state"] },
    );

  const discriminatorPart = (terms: readonly Term[]) =>
    engine.compile(
      (
        { before, weights, ...pair }: Pair<tf.Tensor> & {
          readonly before: readonly GradientSum<tf.Tensor>[];
          readonly weights: tf.Tensor;
        },
        { random },
      ) => {
        const own = gradients(terms)(weights, pair, random);
        return { sum: addShare(before, own, split.accumulate) };
      },
      {
        name: `discriminator gradients (${termsKey(terms)})`,
        resident: ["sum"],
        lanes: split.lanes,
      },
    );

  const discriminatorUpdate = engine.compile(
    ({ state, gradients, rates }: Update) => ({
      state: update(state, sumOfLanes(gradients), rates),
    }),
    { name: "discriminator update", resident: ["state"] },
  );

  return {
    discriminatorStep: once(discriminatorStep),
    discriminatorPart: once(discriminatorPart),
    discriminatorUpdate,
  };
}

/** Caches by the set of terms. */
function once<Made>(make: (terms: readonly Term[]) => Made): (terms: readonly Term[]) => Made {
  const made = new Map<string, Made>();
  return (terms) => {
    const key = termsKey(terms);
    let found = made.get(key);
    if (!found) made.set(key, found = make(terms));
    return found;
  };
}
