/**
 * One iteration of a distillation.
 *
 * @module
 */
import { scalarArray } from "../core/host_array.ts";
import { adamRates, averageDecay } from "../core/optimiser.ts";
import { createRandom, type Random } from "../core/random.ts";
import { disposeArrays, type EngineArray, readArrays } from "../engine/mod.ts";
import { teacherStyleCount } from "../networks/config.ts";
import type { DistillConfig } from "./distill_config.ts";
import type { DistillSession } from "./distill_session.ts";
import { drawLatents, drawNoise } from "./latents.ts";
import { dueTerms, type Term } from "./objective.ts";

/** A device computes ahead of the host until its losses are read: not in every step. */
const STEPS_PER_READING = 10;

/** One iteration; the state is replaced in place. No losses are given where none were read. */
export async function trainStep(
  session: DistillSession,
  step: number,
): Promise<Record<string, number>> {
  const { config, steps, terms, state, teacher } = session;
  const at = { step, kimg: step * config.batch / 1000 };
  const studentTerms = dueTerms(terms, "student", at);
  const criticTerms = dueTerms(terms, "discriminator", at);
  const first = step * config.batch;
  const { styleDim, sizePx } = teacher.config;
  const layers = teacherStyleCount(sizePx);
  const { z, mix } = drawLatents({ ...config, styleDim, layers }, first);
  const noise = drawNoise(config.seed, first, sizePx);
  const wantsFeatures = studentTerms.some(({ loss }) => loss.needs?.features);
  const batch = await steps.teacher(wantsFeatures)({ z, mix, noise });

  const random = createRandom(config.seed, "step", step);
  const needsCritic = studentTerms.some(({ loss }) => loss.needs?.discriminator);
  const student = await steps.student(studentTerms)({
    state: state.student,
    critic: needsCritic ? [state.discriminator.weights] : [],
    batch,
    noise,
    rates: scheduledRates(config, step),
    decay: scalarArray(averageDecay(config.batch, averageHalfLife(config, step))),
  }, { random });
  disposeArrays(state.student);
  state.student = student.state;
  const losses: Record<string, EngineArray> = { ...student.values, gradientNorm: student.norm };
  if (criticTerms.length > 0) {
    const critic = await discriminatorStep(session, step, {
      terms: criticTerms,
      student,
      batch,
      random,
    });
    for (const [name, value] of Object.entries(critic)) losses[`discriminator.${name}`] = value;
  }
  const read = readsLosses(session, step) ? await readArrays(losses) : {};
  disposeArrays([batch, student.image, losses]);
  return Object.fromEntries(Object.entries(read).map(([name, { data }]) => [name, data[0]!]));
}

/** Whether somebody looks at what the step has made: always, where it costs nothing. */
function readsLosses({ engine, config }: DistillSession, step: number): boolean {
  const { steps, sampleSteps, checkpointSteps } = config;
  const done = step + 1;
  return engine.device === "cpu" || step === 0 || done === steps ||
    [STEPS_PER_READING, sampleSteps, checkpointSteps].some((every) => done % every === 0);
}

/** The discriminator's update of an iteration; gives the values of its terms. */
async function discriminatorStep(
  { config, steps, state }: DistillSession,
  step: number,
  { terms, student, batch, random }: {
    readonly terms: readonly Term[];
    readonly random: Random;
    readonly student: { readonly image: EngineArray };
    readonly batch: { readonly scales: readonly { readonly teacherImage: EngineArray }[] };
  },
): Promise<Readonly<Record<string, EngineArray>>> {
  const { learningRate, beta1, beta2 } = config.discriminator;
  const rates = adamRates(learningRate, step + 1, { beta1, beta2, epsilon: 1e-8 });
  const critic = await steps.discriminator(terms)({
    state: state.discriminator,
    fake: student.image,
    real: batch.scales.at(-1)!.teacherImage,
    rates: {
      rate: scalarArray(rates.rate),
      powerCorrection: scalarArray(rates.powerCorrection),
    },
  }, { random });
  disposeArrays(state.discriminator);
  state.discriminator = critic.state;
  return critic.values;
}

/** Adam's factors at a step, with warm-up and decay of the rate. */
function scheduledRates({ optimiser, steps }: DistillConfig, step: number) {
  const warm = Math.min(1, (step + 1) / (optimiser.warmupSteps + 1));
  const decay = optimiser.decay === "cosine" ? 0.5 * (1 + Math.cos(Math.PI * step / steps)) : 1;
  const { rate, powerCorrection } = adamRates(
    optimiser.learningRate * warm * decay,
    step + 1,
    optimiser,
  );
  return { rate: scalarArray(rate), powerCorrection: scalarArray(powerCorrection) };
}

/** The average's half-life, at most a tenth of what was seen: early weights are soon forgotten. */
function averageHalfLife({ averageKimg, batch }: DistillConfig, step: number): number {
  return Math.min(averageKimg, 0.1 * (step + 1) * batch / 1000);
}
