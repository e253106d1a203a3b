/**
 * Functions that make parts and plugins. They add nothing but the `kind`; what they are for is
 * types: names stay literal, options are inferred from the schema, and the weights that `apply`
 * receives from what `init` returns.
 *
 * @module
 */
import type {
  Conv,
  Demodulation,
  Head,
  Loss,
  Metric,
  OptionsSchema,
  Plugin,
  Upscale,
} from "./contracts.ts";

/**
 * Makes an upsampling part: `[N,H,W,C]` to `[N,2H,2W,outChannels(C)]`.
 *
 * @example Every pixel four times
 * ```ts
 * import { defineUpscale, tf } from "haarlem";
 * import assert from "node:assert/strict";
 * import { z } from "zod";
 *
 * const nearest = defineUpscale({
 *   name: "acme/nearest",
 *   summary: "repeats every pixel",
 *   source: "textbook",
 *   options: z.object({}),
 *   outChannels: (channels) => channels,
 *   init: () => ({}),
 *   apply(_, { x }) {
 *     const [n, h, w, c] = x.shape;
 *     const wide = tf.concat([x, x], 3); // [N,H,W,2C]
 *     const rows = tf.reshape(wide, [n, h, 1, 2 * w * c]);
 *     return tf.reshape(tf.concat([rows, rows], 2), [n, 2 * h, 2 * w, c]);
 *   },
 * });
 * const doubled = nearest.apply({}, { x: tf.ones([1, 1, 1, 3]), style: tf.ones([1, 2]) }, {});
 * assert.deepEqual(doubled.shape, [1, 2, 2, 3]);
 * ```
 */
export function defineUpscale<
  const Name extends string,
  Schema extends OptionsSchema,
  Weight extends string,
>(part: Omit<Upscale<Name, Schema, Weight>, "kind">): Upscale<Name, Schema, Weight> {
  return { kind: "upscale", ...part };
}

/**
 * Makes a styled convolution layer: modulation, convolution, demodulation, noise, bias, activation.
 *
 * @example No convolution at all: style, noise, nothing else
 * ```ts
 * import { defineConv, tf } from "haarlem";
 * import assert from "node:assert/strict";
 * import { z } from "zod";
 *
 * const pointwise = defineConv({
 *   name: "acme/pointwise",
 *   summary: "1x1 convolution plus noise",
 *   source: "textbook",
 *   options: z.object({}),
 *   init: ({ inChannels, outChannels }, random) => ({
 *     weight: random.normal([1, 1, inChannels, outChannels], 1 / Math.sqrt(inChannels)),
 *   }),
 *   apply({ weight }, { x, noise }) {
 *     return tf.add(tf.conv2d(x, weight, 1, "same"), noise);
 *   },
 * });
 * assert.equal(pointwise.kind, "conv");
 * ```
 */
export function defineConv<
  const Name extends string,
  Schema extends OptionsSchema,
  Weight extends string,
>(part: Omit<Conv<Name, Schema, Weight>, "kind">): Conv<Name, Schema, Weight> {
  return { kind: "conv", ...part };
}

/**
 * Makes a demodulation: the factor of every output channel of a convolution.
 *
 * @example Factors that depend on the weights only, so that export can merge them
 * ```ts
 * import { defineDemodulation, tf } from "haarlem";
 * import assert from "node:assert/strict";
 * import { z } from "zod";
 *
 * const plain = defineDemodulation({
 *   name: "acme/plain",
 *   summary: "unit-norm kernels",
 *   source: "textbook",
 *   options: z.object({ epsilon: z.number().positive().default(1e-8) }),
 *   init: () => ({}),
 *   apply(_, { energy }, { epsilon }) { // [Cin,Cout] -> [1,Cout]
 *     return tf.rsqrt(tf.add(tf.sum(energy, 0, true), epsilon));
 *   },
 * });
 * assert.equal(plain.name, "acme/plain");
 * ```
 */
export function defineDemodulation<
  const Name extends string,
  Schema extends OptionsSchema,
  Weight extends string,
>(part: Omit<Demodulation<Name, Schema, Weight>, "kind">): Demodulation<Name, Schema, Weight> {
  return { kind: "demodulation", ...part };
}

/**
 * Makes a head: features to the 12 wavelet bands of an image.
 *
 * @example A head without style
 * ```ts
 * import { defineHead, tf } from "haarlem";
 * import assert from "node:assert/strict";
 * import { z } from "zod";
 *
 * const plain = defineHead({
 *   name: "acme/plain",
 *   summary: "1x1 convolution to 12 bands",
 *   source: "textbook",
 *   options: z.object({}),
 *   usesPrevious: false,
 *   init: ({ channels }, random) => ({ weight: random.normal([1, 1, channels, 12]) }),
 *   apply: ({ weight }, { x }) => tf.conv2d(x, weight, 1, "same"),
 * });
 * assert.equal(plain.usesPrevious, false);
 * ```
 */
export function defineHead<
  const Name extends string,
  Schema extends OptionsSchema,
  Weight extends string,
>(part: Omit<Head<Name, Schema, Weight>, "kind">): Head<Name, Schema, Weight> {
  return { kind: "head", ...part };
}

/**
 * Makes a term of the objective: of the student's, of the discriminator's, or of both.
 *
 * @example Mean difference of the final images
 * ```ts
 * import { defineLoss, tf } from "haarlem";
 * import assert from "node:assert/strict";
 * import { z } from "zod";
 *
 * const l1 = defineLoss({
 *   name: "acme/l1",
 *   summary: "L1 of the final images",
 *   source: "textbook",
 *   options: z.object({}),
 *   student({ scales }) {
 *     const { studentImage, teacherImage } = scales.at(-1)!;
 *     return tf.mean(tf.abs(tf.sub(studentImage, teacherImage)));
 *   },
 * });
 * assert.equal(l1.kind, "loss");
 * ```
 */
export function defineLoss<const Name extends string, Schema extends OptionsSchema>(
  loss: Omit<Loss<Name, Schema>, "kind">,
): Loss<Name, Schema> {
  return { kind: "loss", ...loss };
}

/**
 * Makes a measure of images or of a network: numbers by name.
 *
 * @example A constant
 * ```ts
 * import { defineMetric } from "haarlem";
 * import assert from "node:assert/strict";
 * import { z } from "zod";
 *
 * const answer = defineMetric({
 *   name: "acme/answer",
 *   summary: "always the same",
 *   source: "Adams 1979",
 *   options: z.object({}),
 *   compute: () => Promise.resolve({ answer: 42 }),
 * });
 * assert.deepEqual(await answer.compute({}, {}), { answer: 42 });
 * ```
 */
export function defineMetric<const Name extends string, Schema extends OptionsSchema>(
  metric: Omit<Metric<Name, Schema>, "kind">,
): Metric<Name, Schema> {
  return { kind: "metric", ...metric };
}

/**
 * Makes a plugin: parts under one name. The name of each part starts with it: `acme/charbonnier`.
 *
 * Nothing is registered by this. `createRegistry().use(plugin)` does it, and checks every part.
 *
 * @example An empty plugin
 * ```ts
 * import { createRegistry, definePlugin } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const acme = definePlugin({ name: "acme", version: "1.0.0" });
 * assert.equal(createRegistry().use(acme).plugins.at(-1)?.name, "acme");
 * ```
 */
export function definePlugin<const P extends Plugin>(
  plugin: P & Readonly<Record<Exclude<keyof P, keyof Plugin>, never>>,
): P {
  return plugin;
}

/** What `haarlem.config.ts` may say: the plugins of every command run in its folder. */
export interface ProjectConfig {
  /** Plugins, imported by the file itself. */
  readonly plugins: readonly Plugin[];
}

/**
 * Adds nothing; checks types. The default export of `haarlem.config.ts`, whose plugins the command
 * line loads without `--plugin`.
 *
 * @example A `haarlem.config.ts`
 * ```ts
 * import { defineConfig, definePlugin } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const acme = definePlugin({ name: "acme" }); // or imported from anywhere
 * const config = defineConfig({ plugins: [acme] });
 * assert.equal(config.plugins[0]?.name, "acme");
 * ```
 */
export function defineConfig(config: ProjectConfig): ProjectConfig {
  return config;
}
