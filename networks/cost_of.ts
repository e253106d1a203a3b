import { discriminatorCost, inferenceCost, type NetworkCost, teacherCost } from "./cost.ts";
import type { Discriminator, Generator } from "./generator.ts";

/**
 * What a network costs per image: the synthesis network of a teacher, a student's as it is exported, or
 * a discriminator.
 *
 * @throws {RangeError} If its configuration is not valid.
 *
 * @example The shipped networks
 * ```ts
 * import { cost, loadGenerator, models } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const { teacher, student } = models["avatars-64"];
 * const [full, small] = [cost(await loadGenerator(teacher)), cost(await loadGenerator(student))];
 * assert.ok(10 * small.total.convolution < full.total.convolution);
 * ```
 */
export function cost(network: Generator | Discriminator): NetworkCost {
  if (!("kind" in network)) return discriminatorCost(network.config);
  return network.kind === "teacher"
    ? teacherCost(network.config)
    : inferenceCost(network.config, network.parts);
}
