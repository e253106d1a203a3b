import type { LossStep, Params } from "../core/contracts.ts";
import type { DiscriminatorConfig } from "../networks/config.ts";
import { discriminator } from "../networks/discriminator.ts";
import { discriminatorOfBoth } from "../networks/discriminator_of_both.ts";

/**
 * What losses see of the discriminator that is trained.
 *
 * @param terms How many terms look at it. A second one (R1) looks at one of the batches alone, and
 *   shares the pass over it with the first if each batch has a pass of its own.
 */
export function criticLogits(
  params: Params,
  config: DiscriminatorConfig,
  terms: number,
): Pick<LossStep, "discriminate" | "discriminateBoth"> {
  const discriminate: LossStep["discriminate"] = (x) => discriminator(params, x, config);
  return {
    discriminate,
    discriminateBoth: (a, b) =>
      terms === 1
        ? discriminatorOfBoth(params, [a, b], config)
        : [discriminate(a), discriminate(b)],
  };
}
