/**
 * The configuration of an ablation: plain JSON, validated once.
 *
 * @module
 */
import { z } from "zod";
import { chooseVariants, type ListedParts, type Variant, withField } from "./ablate/variants.ts";
import {
  type DistillConfig,
  type DistillInput,
  parseConfig,
  refuseIssues,
} from "./distill_config.ts";

const variant = z.strictObject({
  name: z.string().min(1),
  field: z.string().min(1),
  value: z.unknown(),
  question: z.string().optional(),
});

const schema = z.strictObject({
  /** Names the folder. */
  name: z.string().regex(/^[\w.-]+$/).default("ablation"),
  /** The distillation that all others differ from in one field. */
  base: z.record(z.string(), z.unknown()),
  /** Variants of one's own, names of built-in ones, of groups of them, or `all`. */
  variants: z.array(z.union([z.string(), variant])).default(["all"]),
  /** Every variant is distilled once per seed. */
  seeds: z.array(z.int().nonnegative()).min(1).default([0, 1, 2]),
  /** Steps of each run; the base's if absent. What counts in images or steps is shortened alike. */
  steps: z.int().positive().optional(),
  /** Images that measure a student. */
  images: z.int().positive().default(256),
  /** Runs that time a student. */
  timingRuns: z.int().positive().default(200),
});

/** An ablation as written: what is absent takes its default. */
export interface AblateInput {
  /** Names the folder; `ablation` if absent. */
  readonly name?: string;
  /** The distillation that all others differ from in one field. */
  readonly base: DistillInput;
  /** Variants of one's own, names of built-in ones, of groups of them, or `all` (default). */
  readonly variants?: readonly (string | Variant)[];
  /** Every variant is distilled once per seed; 0, 1, 2 if absent. */
  readonly seeds?: readonly number[];
  /** Steps of each run; the base's if absent. What counts in images or steps is shortened alike. */
  readonly steps?: number;
  /** Images that measure a student; 256 if absent. */
  readonly images?: number;
  /** Runs that time a student; 200 if absent. */
  readonly timingRuns?: number;
}

/** An ablation, complete. */
export interface AblateConfig {
  /** Names the folder. */
  readonly name: string;
  /** The distillation that all others differ from in one field, as long as each run is. */
  readonly base: DistillConfig;
  /** The base first. */
  readonly variants: readonly Variant[];
  /** Every variant is distilled once per seed. */
  readonly seeds: readonly number[];
  /** Images that measure a student. */
  readonly images: number;
  /** Runs that time a student. */
  readonly timingRuns: number;
}

const SAMPLES = 4; // per run: what is between start and end is looked at, not measured
const CHECKPOINTS = 10;

/**
 * A distillation of another length, in which everything begins and ends at the same part of it: the
 * kimg at which losses start, warm-up, the half-life of the average.
 *
 * @example Half as long
 * ```ts
 * import { createRegistry, parseConfig, shortened } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const losses = [{ name: "pixel" }, { name: "wavelet", from: 8 }];
 * const config = parseConfig({ steps: 1000, batch: 16, losses }, createRegistry());
 * assert.equal(shortened(config, 500).losses[1]?.from, 4);
 * ```
 */
export function shortened(config: DistillConfig, steps: number): DistillConfig {
  const share = steps / config.steps;
  const part = (kimg: number) => Number((kimg * share).toPrecision(6)); // 12.8, not 12.799999999999999
  const { optimiser, averageKimg, losses } = config;
  return {
    ...config,
    steps,
    losses: losses.map((loss) =>
      loss.from === undefined ? loss : { ...loss, from: part(loss.from) }
    ),
    optimiser: { ...optimiser, warmupSteps: Math.round(optimiser.warmupSteps * share) },
    averageKimg: part(averageKimg),
    sampleSteps: Math.ceil(steps / SAMPLES),
    checkpointSteps: Math.ceil(steps / CHECKPOINTS),
  };
}

/**
 * Validates an ablation, fills its defaults and chooses its variants.
 *
 * @throws {RangeError} If a field is wrong, or a variant is not known or no valid distillation.
 *
 * @example Two heads
 * ```ts
 * import { createRegistry, parseAblateConfig } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const base = { steps: 100, losses: [{ name: "pixel" }] };
 * const { variants } = parseAblateConfig({ base, variants: ["head-skip"] }, createRegistry());
 * assert.deepEqual(variants.map(({ name, field }) => [name, field]), [
 *   ["base", ""],
 *   ["head-skip", "student.head"],
 * ]);
 * ```
 */
export function parseAblateConfig(json: AblateInput, registry: ListedParts): AblateConfig {
  const result = schema.safeParse(json);
  if (!result.success) throw refuseIssues(result.error.issues);
  const { name, variants, seeds, steps, images, timingRuns } = result.data;
  const whole = parseConfig(result.data.base, registry);
  const base = steps === undefined ? whole : shortened(whole, steps);
  const chosen = chooseVariants(variants as readonly (string | Variant)[], base, registry);
  for (const { field, value } of chosen) parseConfig(withField(base, field, value), registry);
  return { name, base, variants: chosen, seeds, images, timingRuns };
}
