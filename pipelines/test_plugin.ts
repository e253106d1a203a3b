import type { Plugin } from "../core/contracts.ts";
import { partsOf } from "../core/check_plugin.ts";
import { createEngine } from "../engine/mod.ts";
import { createRegistry } from "../registry.ts";
import { conformanceOf, type Engines } from "./conformance/mod.ts";

/** Options of {@linkcode testPlugin}. */
export interface TestPluginOptions {
  /** Engines to compare; the first is the reference. Default: eager and compiled on the CPU. */
  readonly engines?: Engines;
}

/**
 * Tests that everything in a plugin does what its kind asks for: shape, finiteness, repeatability,
 * no leaked tensor, gradients that equal differences, survival of saving and loading, the same
 * result on every engine.
 *
 * @returns The names of the checks, all of which passed.
 * @throws {TypeError} If the plugin does not fill its contract.
 * @throws {AggregateError} If checks fail, with an error for each of them.
 *
 * @example In the tests of a plugin
 * ```ts
 * import { defineLoss, definePlugin, testPlugin, tf } from "haarlem";
 * import assert from "node:assert/strict";
 * import { z } from "zod";
 *
 * const l2 = defineLoss({
 *   name: "acme/l2",
 *   summary: "mean squared difference of the final images",
 *   source: "textbook",
 *   options: z.object({}),
 *   student({ scales }) {
 *     const { studentImage, teacherImage } = scales.at(-1)!;
 *     return tf.mean(tf.square(tf.sub(studentImage, teacherImage)));
 *   },
 * });
 * const checks = await testPlugin(definePlugin({ name: "acme", losses: [l2] }));
 * assert.ok(checks.includes('loss "acme/l2" repeats exactly'));
 * ```
 */
export async function testPlugin(
  plugin: Plugin,
  { engines }: TestPluginOptions = {},
): Promise<string[]> {
  const registry = createRegistry().use(plugin);
  const used = engines ?? [await createEngine({ engine: "tfjs" }), await createEngine()] as const;
  const checks = conformanceOf(partsOf(plugin, true), registry, used);
  const errors: Error[] = [];
  for (const { run } of checks) {
    await run().catch((error: Error) => errors.push(error));
  }
  if (!engines) { for (const engine of used) await engine.dispose(); }
  if (errors.length > 0) {
    throw new AggregateError(
      errors,
      `Cannot accept plugin "${plugin.name}": expected ${checks.length} checks to pass but received ${errors.length} failures: ${
        errors.map(({ message }) => message).join("; ")
      }`,
    );
  }
  return checks.map(({ name }) => name);
}
