/**
 * Prepares a distillation: networks, terms, compiled steps, held-out images.
 *
 * @module
 */
import type { PartSource } from "../core/contracts.ts";
import { flatLayout, flatten, unflatten } from "../core/flat.ts";
import { prefixed, under } from "../core/params.ts";
import { type Engine, readArrays } from "../engine/mod.ts";
import type { Run } from "../io/run_folder.ts";
import { initDiscriminator } from "../networks/discriminator.ts";
import type { Discriminator, Student, Teacher } from "../networks/generator.ts";
import { mobileSynthesisBuffers } from "../networks/mobile_synthesis.ts";
import type { DistillConfig } from "./distill_config.ts";
import { type DistillState, startingState } from "./distill_state.ts";
import { createDistillSteps } from "./distill_steps.ts";
import { type ExplosionGuard, explosionGuard } from "./explosion_guard.ts";
import { openFeatureNetwork } from "./feature_network.ts";
import { drawImages } from "./generate_images.ts";
import { type Split, splitOf } from "./micro_batches.ts";
import {
  dueStepCounter,
  type LossChoice,
  prepareTerms,
  resolveTerms,
  type Term,
} from "./objective.ts";
import { openGenerator, type RunningGenerator } from "./run_generator.ts";
import { type TeacherAhead, teacherAhead } from "./teacher_ahead.ts";

/** A run that is ready: what the loop works with. */
export interface DistillSession {
  readonly config: DistillConfig;
  readonly engine: Engine;
  readonly run: Run;
  readonly terms: readonly Term[];
  readonly steps: ReturnType<typeof createDistillSteps>;
  readonly state: DistillState;
  readonly teacher: Teacher;
  /** The teacher, open for what is drawn of it before the first step; whoever was last disposes it. */
  readonly drawing: RunningGenerator<Teacher>;
  readonly guard: ExplosionGuard;
  /** How a step's batch is split. */
  readonly split: Split;
  /** Updates of the discriminator, with that of a step: it may begin later than the student. */
  readonly criticUpdates: (step: number) => number;
  /** What lanes have begun of the next step. */
  readonly ahead: TeacherAhead;
  /** The student as it is now, read from the device. */
  studentNow(): Promise<Student>;
}

/** Prepares everything that the loop works with. */
export async function openSession(
  { config, teacher, student, run, engine, registry }: {
    readonly config: DistillConfig;
    readonly teacher: Teacher;
    readonly student: Student;
    readonly run: Run;
    readonly engine: Engine;
    readonly registry: PartSource;
  },
): Promise<DistillSession> {
  const drawing = openGenerator(teacher, engine);
  const terms = await prepareTerms(resolveTerms(config.losses as LossChoice[], registry), {
    sizePx: teacher.config.sizePx,
    teacherImages: (seeds) => drawImages(drawing, { seeds }),
  });
  const wantsCritic = terms.some(({ loss, weight }) => loss.needs?.discriminator && weight !== 0);
  const critic = wantsCritic ? startingDiscriminator(config, teacher) : noDiscriminator(teacher);
  const group = critic.config.stddevGroup;
  const { batch, accumulate } = config;
  const split = splitOf(engine, { batch, accumulate, group, sizePx: teacher.config.sizePx });
  const buffers = new Set(mobileSynthesisBuffers(student.config, student.parts));
  const own = Object.entries(under(student.weights, "synthesis"));
  const trained = Object.fromEntries(own.filter(([name]) => !buffers.has(name)));
  const frozen = Object.fromEntries(own.filter(([name]) => buffers.has(name)));
  const layout = flatLayout(trained);
  const criticLayout = flatLayout(critic.weights);
  const wantsFeatures = terms.some(({ loss, weight }) => loss.needs?.features && weight !== 0);
  const features = wantsFeatures ? await openFeatureNetwork(config, drawing, engine) : undefined;
  const state = startingState(run, {
    student: flatten(trained, layout),
    discriminator: flatten(critic.weights, criticLayout),
  }, { average: config.averageKimg > 0 });
  return {
    config,
    engine,
    run,
    terms,
    split,
    criticUpdates: dueStepCounter(terms, "discriminator", config),
    state,
    teacher,
    drawing,
    ahead: teacherAhead(),
    guard: explosionGuard(run.dir),
    steps: createDistillSteps({
      engine,
      config,
      split,
      teacher,
      student,
      frozen,
      layout,
      critic: { config: critic.config, layout: criticLayout },
      features,
    }),
    studentNow: async () => {
      const vector = await readArrays(state.student.average ?? state.student.weights);
      const now = unflatten(vector, layout);
      return { ...student, weights: { ...student.weights, ...prefixed(now, "synthesis") } };
    },
  };
}

/** In place of a discriminator where no term asks for one: nothing to keep, nothing to save. */
function noDiscriminator({ config: { sizePx, channels } }: Teacher): Discriminator {
  return { config: { sizePx, channels, stddevGroup: 1 }, weights: {} };
}

function startingDiscriminator(
  { discriminator, seed }: DistillConfig,
  teacher: Teacher,
): Discriminator {
  if (discriminator.initial === "teacher") {
    if (teacher.discriminator) return teacher.discriminator;
    throw new RangeError(
      'Cannot start from the teacher\'s discriminator: expected a teacher file that holds one but received one without; set "discriminator.initial" to "random"',
    );
  }
  const { sizePx, channels } = teacher.config;
  const config = { sizePx, channels, stddevGroup: 4 };
  return { config, weights: initDiscriminator(config, seed) };
}
