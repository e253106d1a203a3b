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
import type { Latents } from "./latents.ts";
import { objective, type Term, termsKey } from "./objective.ts";

/** StyleGAN2's Adam: no first moment (Karras et al., CVPR 2020, appendix B). */
export const GAN_ADAM: AdamOptions = { beta1: 0, beta2: 0.99, epsilon: 1e-8 };

/** Weights and second moments of the two networks, and the generator's average. */
export interface TeacherState<T> {
  readonly generator: { readonly weights: T; readonly power: T };
  readonly average: T;
  readonly discriminator: { readonly weights: T; readonly power: T };
}

/** What a generator step is fed. */
export interface GeneratorBatch<T> extends Latents<T> {
  readonly noise: readonly T[];
  readonly rates: AdamRates<T>;
  /** Scalar: decay of the average at this step. */
  readonly decay: T;
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

/** Makes the two step functions; every set of due terms is compiled once. */
export function createTeacherSteps(
  engine: Engine,
  config: { readonly network: TeacherConfig; readonly discriminator: DiscriminatorConfig },
  layouts: TeacherLayouts,
) {
  const { network } = config;
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

  const generatorStep = (terms: readonly Term[]) =>
    engine.compile(
      (
        { state, average, critic, batch }: {
          state: { weights: tf.Tensor; power: tf.Tensor };
          average: tf.Tensor;
          critic: tf.Tensor;
          batch: GeneratorBatch<tf.Tensor>;
        },
        { random },
      ) => {
        let fake: tf.Tensor | undefined;
        let values: Record<string, tf.Scalar> = {};
        const { grad } = tf.valueAndGrad((vector) => {
          const { w, run } = generate(vector, batch);
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
        })(state.weights);
        const next = adam(state, grad, batch.rates, GAN_ADAM);
        return {
          fake: fake!,
          values,
          state: { weights: next.weights, power: next.power },
          average: movingAverage(average, next.weights, batch.decay),
        };
      },
      {
        name: `generator step (${termsKey(terms)})`,
        resident: ["fake", "values", "state", "average"],
      },
    );

  const discriminatorStep = (terms: readonly Term[]) =>
    engine.compile(
      (
        { state, fake, real, rates }: {
          state: { weights: tf.Tensor; power: tf.Tensor };
          fake: tf.Tensor;
          real: tf.Tensor;
          rates: AdamRates<tf.Tensor>;
        },
        { random },
      ) => {
        let values: Record<string, tf.Scalar> = {};
        const { grad } = tf.valueAndGrad((vector) => {
          const pair = { fake: fake as tf.Tensor4D, real: real as tf.Tensor4D };
          const step = lossStep(pair, { random, discriminate: (x) => logits(vector, x) });
          const { total, values: each } = objective(terms, "discriminator", step);
          values = each;
          return total;
        })(state.weights);
        const next = adam(state, grad, rates, GAN_ADAM);
        return { values, state: { weights: next.weights, power: next.power } };
      },
      { name: `discriminator step (${termsKey(terms)})`, resident: ["values", "state"] },
    );

  return {
    generatorStep: once(generatorStep),
    discriminatorStep: once(discriminatorStep),
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
