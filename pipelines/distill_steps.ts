/**
 * The compiled functions of a distillation. The frozen teacher runs once per step, in a session of
 * its own; what it gives is fed to the student's and the discriminator's steps.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import type { Weights } from "../core/contracts.ts";
import { type FlatLayout, lift } from "../core/flat.ts";
import type { AdamState } from "../core/optimiser.ts";
import { under } from "../core/params.ts";
import type { Engine } from "../engine/mod.ts";
import type { DiscriminatorConfig } from "../networks/config.ts";
import type { Student, Teacher } from "../networks/generator.ts";
import { mapping, truncate } from "../networks/mapping.ts";
import { teacherPyramid } from "../networks/pyramid.ts";
import { mixedStyles } from "../networks/styles.ts";
import { synthesis } from "../networks/synthesis.ts";
import { compileCriticGradients, compileCriticStep, compileCriticUpdate } from "./critic_step.ts";
import type { DistillConfig } from "./distill_config.ts";
import type { FeatureNetwork } from "./feature_network.ts";
import type { Split } from "./micro_batches.ts";
import { type Term, termsKey } from "./objective.ts";
import { stepRunner } from "./step_runner.ts";
import {
  compileStudentGradients,
  compileStudentStep,
  compileStudentUpdate,
} from "./student_step.ts";

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

/** What the teacher is asked for. */
export interface TeacherRun {
  readonly wantsFeatures: boolean;
  /** Runs at the same time. */
  readonly lanes: number;
}

/** What {@linkcode createDistillSteps} is built from. */
export interface DistillParts {
  readonly engine: Engine;
  readonly config: DistillConfig;
  /** How a step's batch is split. */
  readonly split: Split;
  readonly teacher: Teacher;
  readonly student: Student;
  /** Weights of the student that do not train: buffers. */
  readonly frozen: Weights;
  readonly layout: FlatLayout;
  readonly critic: { readonly config: DiscriminatorConfig; readonly layout: FlatLayout };
  readonly features: FeatureNetwork | undefined;
}

const asImages = (noise: readonly tf.Tensor[]) => noise as readonly tf.Tensor4D[];

/**
 * Makes the step functions; every set of due terms is compiled once. With micro-batches the
 * gradients and the update are functions of their own, and `student` and `discriminator` are not
 * used.
 */
export function createDistillSteps(parts: DistillParts) {
  const { engine, config, teacher } = parts;
  const teacherParams = () => lift(teacher.weights);

  const runTeacher = (w: tf.Tensor, noise: readonly tf.Tensor[]) =>
    synthesis(under(teacherParams(), "synthesis"), { w, noise: asImages(noise) }, teacher.config);

  const teacherStep = ({ wantsFeatures, lanes }: TeacherRun) =>
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
      { name: "teacher", resident: ["w", "scales", "features"], lanes, overlaps: true },
    );

  return {
    /** Runs a step of these graphs. */
    run: stepRunner(engine),
    teacher: cached(
      ({ wantsFeatures, lanes }: TeacherRun) => `${wantsFeatures} ${lanes}`,
      teacherStep,
    ),
    student: cached(
      termsKey,
      (terms: readonly Term[]) => compileStudentStep(parts, terms, runTeacher),
    ),
    studentGradients: cached(
      termsKey,
      (terms: readonly Term[]) => compileStudentGradients(parts, terms, runTeacher),
    ),
    studentUpdate: compileStudentUpdate(parts),
    discriminator: cached(termsKey, (terms: readonly Term[]) => compileCriticStep(parts, terms)),
    discriminatorGradients: cached(
      termsKey,
      (terms: readonly Term[]) => compileCriticGradients(parts, terms),
    ),
    discriminatorUpdate: compileCriticUpdate(parts),
  };
}

/** Latents to styles; with `mix`, some layers take a second latent's: W+. */
function stylesOf({ teacher, config }: DistillParts, z: tf.Tensor, mix: tf.Tensor | undefined) {
  const params = under(lift(teacher.weights), "mapping");
  let w: tf.Tensor = mapping(params, z as tf.Tensor2D, teacher.config);
  if (config.truncation < 1) w = truncate(w, params["w_mean"]!, { psi: config.truncation });
  return mix ? mixedStyles(w, mix) : w;
}

function cached<Key, Made>(name: (key: Key) => string, make: (key: Key) => Made) {
  const made = new Map<string, Made>();
  return (key: Key): Made => {
    let found = made.get(name(key));
    if (!found) made.set(name(key), found = make(key));
    return found;
  };
}
