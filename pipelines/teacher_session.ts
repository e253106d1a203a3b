/**
 * Prepares a teacher's training: networks, terms, compiled steps, state.
 *
 * @module
 */
import type { PartSource } from "../core/contracts.ts";
import { flatten, unflatten } from "../core/flat.ts";
import type { ImageSource } from "../data/image_source.ts";
import { type Engine, readArrays } from "../engine/mod.ts";
import type { Run } from "../io/run_folder.ts";
import { initDiscriminator } from "../networks/discriminator.ts";
import { createTeacher, type Teacher } from "../networks/generator.ts";
import { estimateMeanStyle } from "./generate_images.ts";
import { splitOf } from "./micro_batches.ts";
import { type LossChoice, resolveTerms } from "./objective.ts";
import { teacherLayouts } from "./teacher_gradients.ts";
import { initialState, restoreState, type TeacherState } from "./teacher_state.ts";
import type { TeacherTraining } from "./teacher_step.ts";
import { createTeacherSteps } from "./teacher_steps.ts";
import type { TrainTeacherConfig } from "./train_teacher_config.ts";

/** A run that is ready: what the loop works with. */
export interface TeacherSession {
  readonly config: TrainTeacherConfig;
  readonly engine: Engine;
  readonly run: Run;
  /** The real ones. */
  readonly images: ImageSource;
  readonly training: TeacherTraining;
  readonly state: TeacherState;
  /** The teacher of averaged weights as it is now, read from the device, with its mean style. */
  teacherNow(): Promise<Teacher>;
}

/** Prepares everything that the loop works with. */
export function openTeacherSession(
  { config, images, run, engine, registry }:
    & Pick<TeacherSession, "config" | "images" | "run" | "engine">
    & { readonly registry: PartSource },
): TeacherSession {
  const terms = resolveTerms(config.losses as LossChoice[], registry);
  const initial = createTeacher(config.network, { seed: config.seed });
  const { "mapping.w_mean": _, ...generatorWeights } = initial.weights;
  const criticWeights = initDiscriminator(config.discriminator, config.seed);
  const layouts = teacherLayouts(generatorWeights, criticWeights);
  const { batch, accumulate } = config;
  const split = splitOf(engine, {
    batch,
    accumulate,
    group: config.discriminator.stddevGroup,
    sizePx: config.network.sizePx,
  });
  const state = restoreState(run) ?? initialState(
    flatten(generatorWeights, layouts.generator),
    flatten(criticWeights, layouts.discriminator),
  );
  const teacherNow = async (): Promise<Teacher> => {
    const { average, discriminator } = await readArrays(state);
    const teacher: Teacher = {
      kind: "teacher",
      config: config.network,
      weights: { ...initial.weights, ...unflatten(average, layouts.generator) },
      discriminator: {
        config: config.discriminator,
        weights: unflatten(discriminator.weights, layouts.discriminator),
      },
    };
    const meanStyle = await estimateMeanStyle(teacher, { engine });
    return { ...teacher, weights: { ...teacher.weights, "mapping.w_mean": meanStyle } };
  };
  const training = {
    config,
    terms,
    split,
    steps: createTeacherSteps(engine, { ...config, split }, layouts),
  };
  return { config, engine, run, images, training, state, teacherNow };
}
