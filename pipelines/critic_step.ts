/**
 * The discriminator's part of a distillation step: gradients, and update.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { views } from "../core/flat.ts";
import { adam, type AdamRates, type AdamState } from "../core/optimiser.ts";
import type { GraphRandom } from "../core/random.ts";
import { discriminator } from "../networks/discriminator.ts";
import { discriminatorLossStep } from "./discriminator_loss_step.ts";
import type { DistillParts } from "./distill_steps.ts";
import { addShare, type GradientSum, sumOfLanes } from "./gradient_sum.ts";
import { objective, type Term, termsKey } from "./objective.ts";

/** Images `[N,S,S,3]`: the student's, and the teacher's of the same latents. */
interface Pair {
  readonly fake: tf.Tensor;
  readonly real: tf.Tensor;
}

/** `gradients(weights, pair)`: the gradient of the due terms, and their values. */
function criticGradients({ critic }: DistillParts, terms: readonly Term[]) {
  return (weights: tf.Tensor, { fake, real }: Pair, random: GraphRandom) => {
    let values: Record<string, tf.Scalar> = {};
    const { grad } = tf.valueAndGrad((vector) => {
      const params = views(vector, critic.layout); // once: gradients of fakes and reals meet there
      const step = discriminatorLossStep(
        fake,
        real,
        random,
        (x) => discriminator(params, x, critic.config),
      );
      const { total, values: each } = objective(terms, "discriminator", step);
      values = each;
      return total;
    })(weights);
    return { gradient: grad, values };
  };
}

/** `update(state, gradient, rates)`: Adam. */
function criticUpdate({ config }: DistillParts) {
  const { beta1, beta2 } = config.discriminator;
  return (state: AdamState<tf.Tensor>, gradient: tf.Tensor, rates: AdamRates<tf.Tensor>) =>
    adam(state, gradient, rates, { beta1, beta2, epsilon: 1e-8 });
}

/** A whole step in one graph. */
export function compileCriticStep(parts: DistillParts, terms: readonly Term[]) {
  const gradients = criticGradients(parts, terms);
  const update = criticUpdate(parts);
  type Inputs = Pair & {
    readonly state: AdamState<tf.Tensor>;
    readonly rates: AdamRates<tf.Tensor>;
  };
  return parts.engine.compile((inputs: Inputs, { random }) => {
    const { gradient, values } = gradients(inputs.state.weights, inputs, random);
    return { state: update(inputs.state, gradient, inputs.rates), values };
  }, { name: `discriminator step (${termsKey(terms)})`, resident: ["state", "values"] });
}

/** A micro-batch: adds its share to the sum. */
export function compileCriticGradients(parts: DistillParts, terms: readonly Term[]) {
  const gradients = criticGradients(parts, terms);
  type Inputs = Pair & {
    readonly before: readonly GradientSum<tf.Tensor>[];
    readonly weights: tf.Tensor;
  };
  return parts.engine.compile(
    (inputs: Inputs, { random }) => ({
      sum: addShare(
        inputs.before,
        gradients(inputs.weights, inputs, random),
        parts.split.accumulate,
      ),
    }),
    {
      name: `discriminator gradients (${termsKey(terms)})`,
      resident: ["sum"],
      lanes: parts.split.lanes,
      overlaps: true,
    },
  );
}

/** The update by the sums of all lanes. */
export function compileCriticUpdate(parts: DistillParts) {
  const update = criticUpdate(parts);
  type Inputs = {
    readonly state: AdamState<tf.Tensor>;
    readonly gradients: readonly tf.Tensor[];
    readonly rates: AdamRates<tf.Tensor>;
  };
  return parts.engine.compile(
    ({ state, gradients, rates }: Inputs) => ({
      state: update(state, sumOfLanes(gradients), rates),
    }),
    { name: "discriminator update", resident: ["state"] },
  );
}
