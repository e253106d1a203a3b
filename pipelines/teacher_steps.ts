/**
 * The compiled steps of StyleGAN2's training: one graph each for the generator's and the
 * discriminator's gradients and update.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { LossStep, Weights } from "../core/contracts.ts";
import { type FlatLayout, flatLayout, views } from "../core/flat.ts";
import { adam, type AdamOptions, type AdamRates, movingAverage } from "../core/optimiser.ts";
import { under } from "../core/params.ts";
import type { GraphRandom } from "../core/random.ts";
import type { Engine } from "../engine/mod.ts";
import type { DiscriminatorConfig, TeacherConfig } from "../networks/config.ts";
import { discriminator } from "../networks/discriminator.ts";
import { mapping } from "../networks/mapping.ts";
import { mixedStyles } from "../networks/styles.ts";
import { synthesis } from "../networks/synthesis.ts";
import { addShare, type GradientSum } from "./gradient_sum.ts";
import type { Latents } from "./latents.ts";
import { objective, type Term, termsKey } from "./objective.ts";

/** StyleGAN2's Adam: no first moment (Karras et al., CVPR 2020, appendix B). */
export const GAN_ADAM: AdamOptions = { beta1: 0, beta2: 0.99, epsilon: 1e-8 };

/** Weights of a network and the second moments of their gradients, flat `[size]`. */
export interface NetworkState<T> {
  readonly weights: T;
  readonly power: T;
}

/** What a generator step is fed. */
export interface GeneratorBatch<T> extends Latents<T> {
  readonly noise: readonly T[];
  readonly rates: AdamRates<T>;
  /** Scalar: decay of the average at this step. */
  readonly decay: T;
}

/** What the generator's gradients depend on besides its weights. */
interface GeneratorInputs {
  readonly critic: tf.Tensor;
  readonly batch: GeneratorBatch<tf.Tensor>;
}

/** Images `[N,S,S,3]`. */
interface Pair<T> {
  readonly fake: T;
  readonly real: T;
}

/** Layouts of the flat vectors. */
export interface TeacherLayouts {
  readonly generator: FlatLayout;
  readonly discriminator: FlatLayout;
}

/** The layouts of generator and discriminator weights. */
export function teacherLayouts(generator: Weights, critic: Weights): TeacherLayouts {
  return { generator: flatLayout(generator), discriminator: flatLayout(critic) };
}

const unavailable = (what: string) => (): never => {
  throw new Error(`Cannot use ${what} in a loss of the teacher's own training`);
};

/** A loss step over one pair of images; everything else is refused until somebody needs it. */
function lossStep(
  pair: { readonly fake: tf.Tensor4D; readonly real: tf.Tensor4D },
  functions: Partial<LossStep> & { readonly random: GraphRandom },
): LossStep {
  const { fake, real } = pair;
  const bands = unavailable("wavelet bands");
  return {
    scales: [{
      studentImage: fake,
      teacherImage: real,
      get studentBands() {
        return bands();
      },
      get teacherBands() {
        return bands();
      },
    }],
    w: fake,
    noise: [],
    runStudent: unavailable("runStudent"),
    runTeacher: unavailable("runTeacher"),
    features: unavailable("features"),
    discriminate: unavailable("discriminate"),
    ...functions,
  };
}

/** Makes the step functions, whole and in micro-batches; every set of due terms is compiled once. */
export function createTeacherSteps(
  engine: Engine,
  config: {
    readonly network: TeacherConfig;
    readonly discriminator: DiscriminatorConfig;
    /** Micro-batches of a step; 1 if absent. */
    readonly accumulate?: number;
  },
  layouts: TeacherLayouts,
) {
  const { network, accumulate = 1 } = config;
  const logits = (vector: tf.Tensor, image: tf.Tensor) =>
    discriminator(
      views(vector, layouts.discriminator),
      image as tf.Tensor4D,
      config.discriminator,
    );

  const generate = (vector: tf.Tensor, { z, mix, noise }: GeneratorBatch<tf.Tensor>) => {
    const params = views(vector, layouts.generator);
    const styles = mapping(under(params, "mapping"), z as tf.Tensor2D, network);
    const w = mix[0] ? mixedStyles(styles, mix[0]) : styles;
    const run = (w: tf.Tensor) =>
      synthesis(
        under(params, "synthesis"),
        { w, noise: noise as readonly tf.Tensor4D[] },
        network,
      );
    return { w, run };
  };

  const generatorGradients =
    (terms: readonly Term[]) =>
    (vector: tf.Tensor, { critic, batch }: GeneratorInputs, random: GraphRandom) => {
      let fake: tf.Tensor | undefined;
      let values: Record<string, tf.Scalar> = {};
      const { grad } = tf.valueAndGrad((weights) => {
        const { w, run } = generate(weights, batch);
        const image = run(w);
        const step = lossStep({ fake: image, real: image }, {
          w,
          random,
          runStudent: run,
          discriminate: (x) => logits(critic, x),
        });
        const { total, values: each } = objective(terms, "student", step);
        [fake, values] = [tf.keep(image), each];
        return total;
      })(vector);
      return { gradient: grad, values, fake: fake! };
    };

  const discriminatorGradients = (terms: readonly Term[]) =>
  (
    weights: tf.Tensor,
    pair: Pair<tf.Tensor>,
    random: GraphRandom,
  ) => {
    let values: Record<string, tf.Scalar> = {};
    const { grad } = tf.valueAndGrad((vector) => {
      const images = { fake: pair.fake as tf.Tensor4D, real: pair.real as tf.Tensor4D };
      const step = lossStep(images, { random, discriminate: (x) => logits(vector, x) });
      const { total, values: each } = objective(terms, "discriminator", step);
      values = each;
      return total;
    })(weights);
    return { gradient: grad, values };
  };

  const update = (
    state: NetworkState<tf.Tensor>,
    gradient: tf.Tensor,
    rates: AdamRates<tf.Tensor>,
  ): NetworkState<tf.Tensor> => {
    const { weights, power } = adam(state, gradient, rates, GAN_ADAM);
    return { weights, power };
  };

  const generatorStep = (terms: readonly Term[]) =>
    engine.compile(
      (
        { state, average, ...inputs }: GeneratorInputs & {
          readonly state: NetworkState<tf.Tensor>;
          readonly average: tf.Tensor;
        },
        { random },
      ) => {
        const { gradient, ...made } = generatorGradients(terms)(state.weights, inputs, random);
        const next = update(state, gradient, inputs.batch.rates);
        const { decay } = inputs.batch;
        return { ...made, state: next, average: movingAverage(average, next.weights, decay) };
      },
      {
        name: `generator step (${termsKey(terms)})`,
        resident: ["fake", "values", "state", "average"],
      },
    );

  const discriminatorStep = (terms: readonly Term[]) =>
    engine.compile(
      (
        { state, rates, ...pair }: Pair<tf.Tensor> & {
          readonly state: NetworkState<tf.Tensor>;
          readonly rates: AdamRates<tf.Tensor>;
        },
        { random },
      ) => {
        const { gradient, values } = discriminatorGradients(terms)(state.weights, pair, random);
        return { values, state: update(state, gradient, rates) };
      },
      { name: `discriminator step (${termsKey(terms)})`, resident: ["values", "state"] },
    );

  /** Micro-batches of the two steps, and the updates by their sums. */
  const generatorPart = (terms: readonly Term[]) =>
    engine.compile(
      (
        { sum, weights, ...inputs }: GeneratorInputs & {
          readonly sum: GradientSum<tf.Tensor>;
          readonly weights: tf.Tensor;
        },
        { random },
      ) => {
        const { fake, ...own } = generatorGradients(terms)(weights, inputs, random);
        return { fake, sum: addShare(sum, own, accumulate) };
      },
      { name: `generator gradients (${termsKey(terms)})`, resident: ["fake", "sum"] },
    );

  const discriminatorPart = (terms: readonly Term[]) =>
    engine.compile(
      (
        { sum, weights, ...pair }: Pair<tf.Tensor> & {
          readonly sum: GradientSum<tf.Tensor>;
          readonly weights: tf.Tensor;
        },
        { random },
      ) => {
        const own = discriminatorGradients(terms)(weights, pair, random);
        return { sum: addShare(sum, own, accumulate) };
      },
      { name: `discriminator gradients (${termsKey(terms)})`, resident: ["sum"] },
    );

  type Update = {
    readonly state: NetworkState<tf.Tensor>;
    readonly gradient: tf.Tensor;
    readonly rates: AdamRates<tf.Tensor>;
  };
  const generatorUpdate = engine.compile(
    (
      { state, average, gradient, rates, decay }: Update & {
        readonly average: tf.Tensor;
        readonly decay: tf.Tensor;
      },
    ) => {
      const next = update(state, gradient, rates);
      return { state: next, average: movingAverage(average, next.weights, decay) };
    },
    { name: "generator update", resident: ["state", "average"] },
  );
  const discriminatorUpdate = engine.compile(
    ({ state, gradient, rates }: Update) => ({ state: update(state, gradient, rates) }),
    { name: "discriminator update", resident: ["state"] },
  );

  return {
    generatorStep: once(generatorStep),
    discriminatorStep: once(discriminatorStep),
    generatorPart: once(generatorPart),
    discriminatorPart: once(discriminatorPart),
    generatorUpdate,
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
