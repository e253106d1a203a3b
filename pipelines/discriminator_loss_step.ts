import type * as tf from "@tensorflow/tfjs";
import type { LossStep } from "../core/contracts.ts";
import type { GraphRandom } from "../core/random.ts";

/** A discriminator's step sees the final images only; the rest is refused by name. */
export function discriminatorLossStep(
  fake: tf.Tensor,
  real: tf.Tensor,
  random: GraphRandom,
  discriminate: LossStep["discriminate"],
): LossStep {
  const refuse = (what: string) => (): never => {
    throw new Error(`Cannot use ${what} in the discriminator's term of a loss`);
  };
  return {
    scales: [{
      studentImage: fake as tf.Tensor4D,
      teacherImage: real as tf.Tensor4D,
      get studentBands() {
        return refuse("studentBands")();
      },
      get teacherBands() {
        return refuse("teacherBands")();
      },
    }],
    get w() {
      return refuse("w")();
    },
    get noise() {
      return refuse("noise")();
    },
    random,
    runStudent: refuse("runStudent"),
    runTeacher: refuse("runTeacher"),
    features: refuse("features"),
    discriminate,
  };
}
