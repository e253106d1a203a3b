/**
 * The student's part of a distillation step: gradients, and update.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { LossStep } from "../core/contracts.ts";
import { lift, views } from "../core/flat.ts";
import { adam, type AdamRates, clipNorm, movingAverage } from "../core/optimiser.ts";
import type { GraphRandom } from "../core/random.ts";
import { inverseHaar } from "../layers/haar.ts";
import { studentLastPx } from "../networks/config.ts";
import { discriminator } from "../networks/discriminator.ts";
import { mobileSynthesis } from "../networks/mobile_synthesis.ts";
import { scalesOf, type TeacherScale } from "../networks/pyramid.ts";
import { studentStylesOf } from "../networks/styles.ts";
import type { DistillParts, StudentState, TeacherBatch } from "./distill_steps.ts";
import { addShare, type GradientSum, sumOfLanes } from "./gradient_sum.ts";
import { objective, type Term, termsKey } from "./objective.ts";

const asImages = (noise: readonly tf.Tensor[]) => noise as readonly tf.Tensor4D[];

/** What the gradients of a step depend on besides the weights. */
interface StudentBatch {
  /** The discriminator's weights; empty when no due term asks for them. */
  readonly critic: readonly tf.Tensor[];
  readonly batch: TeacherBatch<tf.Tensor>;
  readonly noise: readonly tf.Tensor[];
}

/** Factors of a step that depend on its number. */
interface StudentRates {
  readonly rates: AdamRates<tf.Tensor>;
  readonly decay: tf.Tensor;
}

type RunTeacher = (w: tf.Tensor, noise: readonly tf.Tensor[]) => tf.Tensor4D;

/** `gradients(weights, batch)`: the gradient of the due terms and what else the step reports. */
function studentGradients(
  parts: DistillParts,
  terms: readonly Term[],
  runTeacher: RunTeacher,
) {
  const { student, layout, frozen, critic } = parts;
  return (weights: tf.Tensor, inputs: StudentBatch, random: GraphRandom) => {
    const { batch, noise } = inputs;
    let image: tf.Tensor | undefined;
    let values: Record<string, tf.Scalar> = {};
    const { grad } = tf.valueAndGrad((vector) => {
      const params = { ...views(vector, layout), ...lift(frozen) };
      const run = (w: tf.Tensor) =>
        mobileSynthesis(
          params,
          { w: studentStylesOf(w, 2 * studentLastPx(student.config)), noise: asImages(noise) },
          student.config,
          student.parts,
        );
      const scales = scalesOf(run(batch.w), batch.scales as unknown as TeacherScale[]);
      const last = scales.at(-1)!;
      const step: LossStep = {
        scales,
        w: batch.w,
        noise: asImages(noise),
        random,
        runStudent: (w) => inverseHaar(run(w).at(-1)!),
        runTeacher: (w) => runTeacher(w, noise),
        features: (x) =>
          x === last.teacherImage && batch.features.length
            ? [...batch.features] as tf.Tensor4D[]
            : parts.features!.maps(x),
        discriminate: (x) =>
          discriminator(views(inputs.critic[0]!, critic.layout), x, critic.config),
      };
      const { total, values: each } = objective(terms, "student", step);
      [image, values] = [tf.keep(last.studentImage), each];
      return total;
    })(weights);
    return { gradient: grad, values, image: image! };
  };
}

/** `update(state, gradient)`: clipping, Adam, moving average. */
function studentUpdate({ config }: DistillParts) {
  const { optimiser } = config;
  const { beta1, beta2, epsilon } = optimiser;
  return (
    state: StudentState<tf.Tensor>,
    gradient: tf.Tensor,
    { rates, decay }: StudentRates,
  ) => {
    const { clipped, norm } = clipNorm(gradient, optimiser.clipNorm ?? Infinity);
    const next = adam(
      state,
      optimiser.clipNorm ? clipped : gradient,
      rates,
      { beta1, beta2, epsilon },
    );
    const average = state.average && movingAverage(state.average, next.weights, decay);
    return { state: { ...next, ...average && { average } } as StudentState<tf.Tensor>, norm };
  };
}

/** A whole step in one graph. */
export function compileStudentStep(
  parts: DistillParts,
  terms: readonly Term[],
  runTeacher: RunTeacher,
) {
  const gradients = studentGradients(parts, terms, runTeacher);
  const update = studentUpdate(parts);
  type Inputs = StudentBatch & StudentRates & { readonly state: StudentState<tf.Tensor> };
  return parts.engine.compile((inputs: Inputs, { random }) => {
    const { gradient, values, image } = gradients(inputs.state.weights, inputs, random);
    const { state, norm } = update(inputs.state, gradient, inputs);
    return { state, values, norm, image };
  }, {
    name: `student step (${termsKey(terms)})`,
    resident: ["state", "image", "values", "norm"],
  });
}

/** A micro-batch: adds its share to the sum. */
export function compileStudentGradients(
  parts: DistillParts,
  terms: readonly Term[],
  runTeacher: RunTeacher,
) {
  const gradients = studentGradients(parts, terms, runTeacher);
  type Inputs = StudentBatch & {
    readonly before: readonly GradientSum<tf.Tensor>[];
    readonly weights: tf.Tensor;
  };
  return parts.engine.compile((inputs: Inputs, { random }) => {
    const { image, ...own } = gradients(inputs.weights, inputs, random);
    return { sum: addShare(inputs.before, own, parts.split.accumulate), image };
  }, {
    name: `student gradients (${termsKey(terms)})`,
    resident: ["sum", "image"],
    lanes: parts.split.lanes,
    overlaps: true,
  });
}

/** The update by the sums of all lanes. */
export function compileStudentUpdate(parts: DistillParts) {
  const update = studentUpdate(parts);
  type Inputs = StudentRates & {
    readonly state: StudentState<tf.Tensor>;
    readonly gradients: readonly tf.Tensor[];
  };
  return parts.engine.compile(
    (inputs: Inputs) => update(inputs.state, sumOfLanes(inputs.gradients), inputs),
    { name: "student update", resident: ["state", "norm"] },
  );
}
