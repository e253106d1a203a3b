import type { AnyLoss, LossStep } from "../core/contracts.ts";

/** What a run prepares only for losses that ask for it, by the function that gives it. */
const NEEDED = { features: "features", discriminate: "discriminator" } as const;

/**
 * A step as a loss may see it: a function that the loss does not name in its `needs` is refused, since
 * the run has prepared nothing for it.
 */
export function declaredStep(step: LossStep, { name, needs }: AnyLoss): LossStep {
  const refused = Object.entries(NEEDED).filter(([, need]) => !needs?.[need]).map((
    [called, need],
  ) => [called, {
    value: () => {
      throw new TypeError(
        `Cannot call ${called}() in loss "${name}": expected "needs" to hold { ${need}: true } but received ${
          JSON.stringify(needs) ?? "none"
        }`,
      );
    },
  }]);
  // The step's fields are getters where they cost something: a copy would call them all.
  return Object.create(step, Object.fromEntries(refused));
}
