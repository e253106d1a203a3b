/**
 * The compiled functions of a distillation. The frozen teacher runs once per step, in a session of
 * its own; what it gives is fed to the student's and the discriminator's steps.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { LossStep, Weights } from "../core/contracts.ts";
import { type FlatLayout, lift, views } from "../core/flat.ts";
import {
  adam,
  type AdamOptions,
  type AdamRates,
  type AdamState,
  clipNorm,
  movingAverage,
} from "../core/optimiser.ts";
import { under } from "../core/params.ts";
import type { GraphRandom } from "../core/random.ts";
import type { Engine } from "../engine/mod.ts";
import { inverseHaar } from "../layers/haar.ts";
import { type DiscriminatorConfig, studentLastPx } from "../networks/config.ts";
import { discriminator } from "../networks/discriminator.ts";
import type { Student, Teacher } from "../networks/generator.ts";
import { mapping, truncate } from "../networks/mapping.ts";
import { mobileSynthesis } from "../networks/mobile_synthesis.ts";
import { scalesOf, teacherPyramid, type TeacherScale } from "../networks/pyramid.ts";
import { mixedStyles, studentStylesOf } from "../networks/styles.ts";
import { synthesis } from "../networks/synthesis.ts";
import type { DistillConfig } from "./distill_config.ts";
import type { FeatureNetwork } from "./feature_network.ts";
import { objective, type Term, termsKey } from "./objective.ts";

/** What the teacher makes of a batch of latents. */
export interface TeacherBatch<T> {
  readonly w: T;
  /** Coarsest first: images and their bands. */
  readonly scales: readonly { readonly teacherImage: T; readonly teacherBands: T }[];
  /** The feature maps of the full image; empty when no due term compares features. */
  readonly features: readonly T[];
}

/** The student while it trains. */
export interface StudentState<T> extends AdamState<T> {
  /** Moving average of the weights; absent when none is kept. */
  readonly average?: T;
}

/** What {@linkcode createDistillSteps} is built from. */
export interface DistillParts {
  readonly engine: Engine;
  readonly config: DistillConfig;
  readonly teacher: Teacher;
  readonly student: Student;
  /** Weights of the student that do not train: buffers. */
  readonly frozen: Weights;
  readonly layout: FlatLayout;
  readonly critic: { readonly config: DiscriminatorConfig; readonly layout: FlatLayout };
  readonly features: FeatureNetwork | undefined;
}

const asImages = (noise: readonly tf.Tensor[]) => noise as readonly tf.Tensor4D[];

/** Makes the step functions; every set of due terms is compiled once. */
export function createDistillSteps(parts: DistillParts) {
  const { engine, config, teacher } = parts;
  const teacherParams = () => lift(teacher.weights);

  const runTeacher = (w: tf.Tensor, noise: readonly tf.Tensor[]) =>
    synthesis(under(teacherParams(), "synthesis"), { w, noise: asImages(noise) }, teacher.config);

  const teacherStep = (wantsFeatures: boolean) =>
    engine.compile(
      ({ z, mix, noise }: { z: tf.Tensor; mix: tf.Tensor[]; noise: tf.Tensor[] }) => {
        const w = stylesOf(parts, z, mix[0]);
        const image = runTeacher(w, noise);
        return {
          w,
          scales: teacherPyramid(image, { method: config.pyramid }),
          features: wantsFeatures ? parts.features!.maps(image) : [],
        } as TeacherBatch<tf.Tensor>;
      },
      { name: "teacher", resident: ["w", "scales", "features"] },
    );

  return {
    teacher: cached((wantsFeatures: boolean) => String(wantsFeatures), teacherStep),
    student: cached(
      (terms: readonly Term[]) => termsKey(terms),
      (terms) => compileStudentStep(parts, terms, runTeacher),
    ),
    discriminator: cached(
      (terms: readonly Term[]) => termsKey(terms),
      (terms) => compileDiscriminatorStep(parts, terms),
    ),
  };
}

/** Latents to styles; with `mix`, some layers take a second latent's: W+. */
function stylesOf({ teacher, config }: DistillParts, z: tf.Tensor, mix: tf.Tensor | undefined) {
  const params = under(lift(teacher.weights), "mapping");
  let w: tf.Tensor = mapping(params, z as tf.Tensor2D, teacher.config);
  if (config.truncation < 1) w = truncate(w, params["w_mean"]!, { psi: config.truncation });
  return mix ? mixedStyles(w, mix) : w;
}

interface StudentInputs {
  readonly state: StudentState<tf.Tensor>;
  /** The discriminator's weights; empty when no due term asks for them. */
  readonly critic: readonly tf.Tensor[];
  readonly batch: TeacherBatch<tf.Tensor>;
  readonly noise: readonly tf.Tensor[];
  readonly rates: AdamRates<tf.Tensor>;
  readonly decay: tf.Tensor;
}

/** `gradients(weights, batch)`: the gradient of the due terms and what else the step reports. */
function studentGradients(
  parts: DistillParts,
  terms: readonly Term[],
  runTeacher: (w: tf.Tensor, noise: readonly tf.Tensor[]) => tf.Tensor4D,
) {
  const { student, layout, frozen, critic } = parts;
  return (weights: tf.Tensor, inputs: StudentInputs, random: GraphRandom) => {
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
  return (
    state: StudentState<tf.Tensor>,
    gradient: tf.Tensor,
    { rates, decay }: Pick<StudentInputs, "rates" | "decay">,
  ) => {
    const { clipped, norm } = clipNorm(gradient, optimiser.clipNorm ?? Infinity);
    const next = adam(
      state,
      optimiser.clipNorm ? clipped : gradient,
      rates,
      adamOptions(optimiser),
    );
    const average = state.average && movingAverage(state.average, next.weights, decay);
    return { state: { ...next, ...average && { average } }, norm };
  };
}

function compileStudentStep(
  parts: DistillParts,
  terms: readonly Term[],
  runTeacher: (w: tf.Tensor, noise: readonly tf.Tensor[]) => tf.Tensor4D,
) {
  const gradients = studentGradients(parts, terms, runTeacher);
  const update = studentUpdate(parts);
  return parts.engine.compile((inputs: StudentInputs, { random }) => {
    const { gradient, values, image } = gradients(inputs.state.weights, inputs, random);
    const { state, norm } = update(inputs.state, gradient, inputs);
    return { state: state as StudentState<tf.Tensor>, values, norm, image };
  }, {
    name: `student step (${termsKey(terms)})`,
    resident: ["state", "image", "values", "norm"],
  });
}

function compileDiscriminatorStep(
  { engine, config, critic }: DistillParts,
  terms: readonly Term[],
) {
  return engine.compile((
    { state, fake, real, rates }: {
      state: AdamState<tf.Tensor>;
      fake: tf.Tensor;
      real: tf.Tensor;
      rates: AdamRates<tf.Tensor>;
    },
    { random },
  ) => {
    let values: Record<string, tf.Scalar> = {};
    const { grad } = tf.valueAndGrad((vector) => {
      const step = discriminatorLossStep(
        fake,
        real,
        random,
        (x) => discriminator(views(vector, critic.layout), x, critic.config),
      );
      const { total, values: each } = objective(terms, "discriminator", step);
      values = each;
      return total;
    })(state.weights);
    const options = adamOptions({ ...config.discriminator, epsilon: 1e-8 });
    return { state: adam(state, grad, rates, options), values };
  }, { name: `discriminator step (${termsKey(terms)})`, resident: ["state", "values"] });
}

/** A discriminator's step sees the final images only; the rest is refused by name. */
function discriminatorLossStep(
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

function adamOptions({ beta1, beta2, epsilon }: AdamOptions): AdamOptions {
  return { beta1, beta2, epsilon };
}

function cached<Key, Made>(name: (key: Key) => string, make: (key: Key) => Made) {
  const made = new Map<string, Made>();
  return (key: Key): Made => {
    let found = made.get(name(key));
    if (!found) made.set(name(key), found = make(key));
    return found;
  };
}
