/**
 * One iteration of a distillation.
 *
 * @module
 */
import type { HostArray } from "../core/contracts.ts";
import { scalarArray } from "../core/host_array.ts";
import { adamRates, averageDecay } from "../core/optimiser.ts";
import { createRandom } from "../core/random.ts";
import { teacherStyleCount } from "../networks/config.ts";
import type { DistillConfig } from "./distill_config.ts";
import type { DistillSession } from "./distill_session.ts";
import { drawLatents, drawNoise } from "./latents.ts";
import { dueTerms } from "./objective.ts";

/** One iteration; the state is replaced in place. */
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
  state.student = student.state;
  const losses = { ...scalars(student.values), gradientNorm: student.norm.data[0]! };
  if (criticTerms.length === 0) return losses;

  const { learningRate, beta1, beta2 } = config.discriminator;
  const rates = adamRates(learningRate, step + 1, { beta1, beta2, epsilon: 1e-8 });
  const critic = await steps.discriminator(criticTerms)({
    state: state.discriminator,
    fake: student.image,
    real: batch.scales.at(-1)!.teacherImage,
    rates: {
      rate: scalarArray(rates.rate),
      powerCorrection: scalarArray(rates.powerCorrection),
    },
  }, { random });
  state.discriminator = critic.state;
  return { ...losses, ...scalars(critic.values, "discriminator.") };
}

const scalars = (values: Readonly<Record<string, HostArray>>, prefix = "") =>
  Object.fromEntries(
    Object.entries(values).map(([name, { data }]) => [`${prefix}${name}`, data[0]!]),
  );

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
