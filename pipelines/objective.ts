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
  return choices.map((choice) => {
    const { part: loss, options } = parts.resolve("loss", choice);
    return {
      name: choice.name,
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

/** The weighted sum of the terms, and each term's own value (unweighted) by name. */
export function objective(
  terms: readonly Term[],
  side: "student" | "discriminator",
  step: LossStep,
): { readonly total: tf.Scalar; readonly values: Record<string, tf.Scalar> } {
  const values: Record<string, tf.Scalar> = {};
  const weighted = terms.map(({ name, loss, options, weight, every, constants }) => {
    // The step's fields are getters where they cost something: a copy would call them all.
    const own = constants ? Object.create(step, { constants: { value: lift(constants) } }) : step;
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
