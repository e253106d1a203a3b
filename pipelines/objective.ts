/**
 * The objective of a run: which loss terms count at a step, and how they add up.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type {
  AnyLoss,
  LossContext,
  LossStep,
  PartChoice,
  PartSource,
  Weights,
} from "../core/contracts.ts";
import { expectOutput } from "../core/expect_output.ts";
import { lift } from "../core/flat.ts";
import { declaredStep } from "./declared_step.ts";

/** A loss in a config. */
export interface LossChoice<Name extends string = string> extends PartChoice<Name> {
  /** Factor of the term; 1 if absent. */
  readonly weight?: number;
  /** kimg at which the term starts; the loss's own if absent. */
  readonly from?: number;
  /** Applied on every n-th step, n times as strong; the loss's own if absent. */
  readonly every?: number;
}

/** A resolved term. */
export interface Term {
  /** The loss's; with `#2`, `#3`, ... where a config has the loss more than once. */
  readonly name: string;
  readonly loss: AnyLoss;
  readonly options: unknown;
  readonly weight: number;
  readonly from: number;
  readonly every: number;
  /** What the loss prepared. */
  readonly constants?: Weights;
}

/** Lets the losses compute their constants; a resumed run computes the same again. */
export async function prepareTerms(
  terms: readonly Term[],
  context: LossContext,
): Promise<readonly Term[]> {
  const prepared: Term[] = [];
  for (const term of terms) {
    const { loss, options } = term;
    const wanted = loss.prepare && term.weight !== 0;
    prepared.push(
      wanted ? { ...term, constants: await loss.prepare!(context, options) } : term,
    );
  }
  return prepared;
}

/** Resolves the losses of a config; fails before the first step if a name or an option is wrong. */
export function resolveTerms(choices: readonly LossChoice[], parts: PartSource): Term[] {
  return choices.map((choice, i) => {
    const { part: loss, options } = parts.resolve("loss", choice);
    const earlier = choices.slice(0, i).filter(({ name }) => name === choice.name).length;
    return {
      name: earlier === 0 ? choice.name : `${choice.name}#${earlier + 1}`,
      loss,
      options,
      weight: choice.weight ?? 1,
      from: choice.from ?? loss.from ?? 0,
      every: choice.every ?? loss.every ?? 1,
    };
  });
}

/** The terms that count at a step: started, and due if they are lazy. */
export function dueTerms(
  terms: readonly Term[],
  side: "student" | "discriminator",
  { step, kimg }: { readonly step: number; readonly kimg: number },
): Term[] {
  return terms.filter(({ loss, weight, from, every }) =>
    loss[side] && weight !== 0 && kimg >= from && step % every === 0
  );
}

/** Counts the steps with a due term of a side, up to and with a step; steps are asked for in order. */
export function dueStepCounter(
  terms: readonly Term[],
  side: "student" | "discriminator",
  { batch }: { readonly batch: number },
): (step: number) => number {
  let [next, count] = [0, 0];
  return (step) => {
    for (; next <= step; next++) {
      const at = { step: next, kimg: next * batch / 1000 };
      if (dueTerms(terms, side, at).length > 0) count++;
    }
    return count;
  };
}

/**
 * Refuses terms of which none is due at some step: nothing would be trained there.
 *
 * The first two steps tell: what is due at step 1 is due at every step after it.
 *
 * @throws {RangeError} naming the step
 */
export function expectTermsAtEveryStep(
  terms: readonly Term[],
  { side, batch, whose }: {
    readonly side: "student" | "discriminator";
    readonly batch: number;
    /** Whose objective it is, for the message. */
    readonly whose: string;
  },
): void {
  const idle = [0, 1].find((step) =>
    dueTerms(terms, side, { step, kimg: step * batch / 1000 }).length === 0
  );
  if (idle === undefined) return;
  throw new RangeError(
    `Cannot read the configuration: expected a loss of the ${whose} at every step but received none at step ${idle}; give it one of a weight above 0 with "from" 0 and "every" 1`,
  );
}

/** The weighted sum of the terms, and each term's own value (unweighted) by name. */
export function objective(
  terms: readonly Term[],
  side: "student" | "discriminator",
  step: LossStep,
): { readonly total: tf.Scalar; readonly values: Record<string, tf.Scalar> } {
  const values: Record<string, tf.Scalar> = {};
  const weighted = terms.map(({ name, loss, options, weight, every, constants }) => {
    // The step's fields are getters where they cost something: a copy would call them all.
    const seen = declaredStep(step, loss);
    const own = constants ? Object.create(seen, { constants: { value: lift(constants) } }) : seen;
    const value = expectOutput(loss[side]!(own, options), [], loss);
    values[name] = tf.keep(value); // the eager engine frees what the gradient does not return
    return tf.mul(value, weight * every) as tf.Scalar;
  });
  return { total: weighted.length === 1 ? weighted[0]! : tf.addN(weighted), values };
}

/** Names a set of terms: compiled steps are cached under it. */
export function termsKey(terms: readonly Term[]): string {
  return terms.map(({ name }) => name).join("+") || "none";
}
