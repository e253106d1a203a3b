/**
 * What a step of a distillation has to do: its due terms, and what it draws.
 *
 * @module
 */
import type { EngineArray } from "../engine/mod.ts";
import { teacherStyleCount } from "../networks/config.ts";
import type { DistillSession } from "./distill_session.ts";
import { drawLatents, drawNoise } from "./latents.ts";
import { dueTerms, type Term, termsKey } from "./objective.ts";
import type { Drawn } from "./teacher_ahead.ts";

/** What a step computes with. */
export interface Due extends Drawn {
  readonly student: readonly Term[];
  readonly discriminator: readonly Term[];
  readonly wantsFeatures: boolean;
  /** The discriminator's weights, where a term of the student asks for them. */
  readonly critic: readonly EngineArray[];
}

/** Steps of one kind compute with the same graphs. */
export function kindOf(
  { student, discriminator }: Pick<Due, "student" | "discriminator">,
): string {
  return `${termsKey(student)}, ${termsKey(discriminator)}`;
}

function termsAt({ config, terms }: DistillSession, step: number) {
  const at = { step, kimg: step * config.batch / 1000 };
  return {
    student: dueTerms(terms, "student", at),
    discriminator: dueTerms(terms, "discriminator", at),
  };
}

/** Whether there is a next step, of the same kind. */
export function goesOn(session: DistillSession, step: number): boolean {
  const [now, then] = [step, step + 1].map((at) => kindOf(termsAt(session, at)));
  return step + 1 < session.config.steps && now === then;
}

/** What a step draws. */
export function drawAt({ config, teacher }: DistillSession, step: number): Drawn {
  const first = step * config.batch;
  const { styleDim, sizePx } = teacher.config;
  const layers = teacherStyleCount(sizePx);
  return {
    step,
    latents: drawLatents({ ...config, styleDim, layers }, first),
    noise: drawNoise(config.seed, first, sizePx),
  };
}

/** What a step that has drawn computes with. */
export function dueAt(session: DistillSession, step: number, drawn: Drawn): Due {
  const terms = termsAt(session, step);
  const needsCritic = terms.student.some(({ loss }) => loss.needs?.discriminator);
  return {
    ...drawn,
    ...terms,
    wantsFeatures: terms.student.some(({ loss }) => loss.needs?.features),
    critic: needsCritic ? [session.state.discriminator.weights] : [],
  };
}
