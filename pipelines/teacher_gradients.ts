/**
 * The gradients of StyleGAN2's training: of the generator's objective and of the discriminator's.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { LossStep, Weights } from "../core/contracts.ts";
import { type FlatLayout, flatLayout, views } from "../core/flat.ts";
import type { AdamRates } from "../core/optimiser.ts";
import { under } from "../core/params.ts";
import type { GraphRandom } from "../core/random.ts";
import type { DiscriminatorConfig, TeacherConfig } from "../networks/config.ts";
import { discriminator } from "../networks/discriminator.ts";
import { mapping } from "../networks/mapping.ts";
import { mixedStyles } from "../networks/styles.ts";
import { synthesis } from "../networks/synthesis.ts";
import type { Latents } from "./latents.ts";
import { objective, type Term } from "./objective.ts";

/** What a generator step is fed. */
export interface GeneratorBatch<T> extends Latents<T> {
  readonly noise: readonly T[];
  readonly rates: AdamRates<T>;
  /** Scalar: decay of the average at this step. */
  readonly decay: T;
}

/** What the generator's gradients depend on besides its weights. */
export interface GeneratorInputs {
  readonly critic: tf.Tensor;
  readonly batch: GeneratorBatch<tf.Tensor>;
}

/** Images `[N,S,S,3]`. */
export interface Pair<T> {
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

/** The networks whose gradients are asked for. */
export interface TeacherNetworks {
  readonly network: TeacherConfig;
  readonly discriminator: DiscriminatorConfig;
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

/** Images and styles of the generator whose weights lie flat in `vector`. */
function generate(
  vector: tf.Tensor,
  { z, mix, noise }: GeneratorBatch<tf.Tensor>,
  { network, layout }: { readonly network: TeacherConfig; readonly layout: FlatLayout },
) {
  const params = views(vector, layout);
  const styles = mapping(under(params, "mapping"), z as tf.Tensor2D, network);
  const w = mix[0] ? mixedStyles(styles, mix[0]) : styles;
  const run = (w: tf.Tensor) =>
    synthesis(
      under(params, "synthesis"),
      { w, noise: noise as readonly tf.Tensor4D[] },
      network,
    );
  return { w, run };
}

/** Makes the functions that give the gradients of a set of terms in flat weights. */
export function teacherGradients(config: TeacherNetworks, layouts: TeacherLayouts) {
  /** Logits by the same weights, at each of which gradients of fakes and reals meet. */
  const logitsBy = (vector: tf.Tensor) => {
    const params = views(vector, layouts.discriminator);
    return (image: tf.Tensor) => discriminator(params, image as tf.Tensor4D, config.discriminator);
  };

  const generator =
    (terms: readonly Term[]) =>
    (vector: tf.Tensor, { critic, batch }: GeneratorInputs, random: GraphRandom) => {
      let fake: tf.Tensor | undefined;
      let values: Record<string, tf.Scalar> = {};
      const { grad } = tf.valueAndGrad((weights) => {
        const { w, run } = generate(weights, batch, {
          network: config.network,
          layout: layouts.generator,
        });
        const image = run(w);
        const step = lossStep({ fake: image, real: image }, {
          w,
          random,
          runStudent: run,
          discriminate: logitsBy(critic),
        });
        const { total, values: each } = objective(terms, "student", step);
        [fake, values] = [tf.keep(image), each];
        return total;
      })(vector);
      return { gradient: grad, values, fake: fake! };
    };

  const critic = (terms: readonly Term[]) =>
  (
    weights: tf.Tensor,
    pair: Pair<tf.Tensor>,
    random: GraphRandom,
  ) => {
    let values: Record<string, tf.Scalar> = {};
    const { grad } = tf.valueAndGrad((vector) => {
      const images = { fake: pair.fake as tf.Tensor4D, real: pair.real as tf.Tensor4D };
      const step = lossStep(images, { random, discriminate: logitsBy(vector) });
      const { total, values: each } = objective(terms, "discriminator", step);
      values = each;
      return total;
    })(weights);
    return { gradient: grad, values };
  };

  return { generator, discriminator: critic };
}
