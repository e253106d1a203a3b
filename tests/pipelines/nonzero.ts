import { createRandom } from "../../core/random.ts";
import type { Generator } from "../../networks/generator.ts";

/** A generator whose weights that start as zeros (biases, strengths of noise) are drawn instead. */
export function nonzero<Network extends Generator>(generator: Network): Network {
  const weights = Object.fromEntries(
    Object.entries(generator.weights).map(([name, array]) => [
      name,
      array.data.some((value) => value !== 0)
        ? array
        : createRandom(9, `nonzero.${name}`).normal([...array.shape], 0.3),
    ]),
  );
  return { ...generator, weights };
}
