/**
 * The configuration of a distillation: plain JSON, validated once.
 *
 * @module
 */
import { z } from "zod";
import type { PartSource } from "../core/contracts.ts";
import { MissingPluginError } from "../core/registry.ts";
import { expectTermsAtEveryStep, resolveTerms } from "./objective.ts";
import { withoutMetadata } from "./run_metadata.ts";

const part = z.strictObject({
  name: z.string(),
  options: z.record(z.string(), z.unknown()).optional(),
});

/** A loss in a configuration. */
export const lossSchema: z.ZodType<ConfiguredLoss> = z.strictObject({
  name: z.string(),
  weight: z.number().nonnegative().optional(),
  from: z.number().nonnegative().optional(),
  every: z.int().positive().optional(),
  options: z.record(z.string(), z.unknown()).optional(),
});

const student = z.strictObject({
  upscale: part.default({ name: "idwt" }),
  conv: part.default({ name: "separable_modulated" }),
  demodulation: part.default({ name: "trainable" }),
  head: part.default({ name: "single" }),
  /** Whether every scale has a head in training; the paper's student has. */
  auxiliary: z.boolean().default(true),
  /** What heads predict: wavelet bands, or colours with one block more at the full size. */
  domain: z.enum(["wavelet", "pixel"]).default("wavelet"),
  /** Channels at 4, 8, ..., half the size; by default the teacher's. */
  channels: z.array(z.int().positive()).optional(),
});

const optimiser = z.strictObject({
  learningRate: z.number().positive().default(5e-4),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  epsilon: z.number().positive().default(1e-8),
  /** Steps over which the rate rises from zero. */
  warmupSteps: z.int().nonnegative().default(0),
  /** `cosine` falls to zero at the last step; `constant` is the author's. */
  decay: z.enum(["constant", "cosine"]).default("constant"),
  /** Largest norm of the gradient; absent: no clipping. */
  clipNorm: z.number().positive().optional(),
});

const features = z.discriminatedUnion("name", [
  z.strictObject({ name: z.literal("discriminator") }),
  z.strictObject({ name: z.literal("vgg16"), path: z.string() }),
]);

/** Whether the micro-batches of a step are of one size. */
export function dividesBatch(
  { batch, accumulate }: { readonly batch: number; readonly accumulate: number },
  context: z.RefinementCtx,
): void {
  if (batch % accumulate === 0) return;
  const message = `expected a divisor of "batch", ${batch}, but received ${accumulate}`;
  context.addIssue({ code: "custom", path: ["accumulate"], message });
}

/** The schema of a distillation's configuration. */
const schema = z.strictObject({
  /** Names the run's folder. */
  name: z.string().regex(/^[\w.-]+$/).default("distill"),
  /** File of the teacher; the context may give the network itself. */
  teacher: z.string().optional(),
  /** File of a student to start from; absent: random weights. */
  initialStudent: z.string().optional(),
  /** Plugins whose parts are used, as they were given. */
  plugins: z.array(z.string()).default([]),
  student: student.prefault({}),
  seed: z.int().nonnegative().default(0),
  batch: z.int().positive().default(16),
  /** Micro-batches that a step is computed in: their gradients are added, in less memory. */
  accumulate: z.int().positive().default(1),
  steps: z.int().positive(),
  losses: z.array(lossSchema).min(1),
  optimiser: optimiser.prefault({}),
  discriminator: z.strictObject({
    /** `teacher`: starts from the teacher's own; `random`: from nothing, as the author's code. */
    initial: z.enum(["random", "teacher"]).default("random"),
    learningRate: z.number().positive().default(5e-4),
    beta1: z.number().min(0).lt(1).default(0.9),
    beta2: z.number().min(0).lt(1).default(0.999),
  }).prefault({}),
  features: features.optional(),
  pyramid: z.enum(["bilinear", "area"]).default("bilinear"),
  /** Probability that a sample mixes two styles. */
  styleMixing: z.number().min(0).max(1).default(0),
  /** Psi of the styles that training draws; 1: none. */
  truncation: z.number().min(0).max(1).default(1),
  /** Half-life in kimg of the student's moving average; 0: none. */
  averageKimg: z.number().nonnegative().default(0),
  sampleSteps: z.int().positive().default(1000),
  checkpointSteps: z.int().positive().default(1000),
}).superRefine(dividesBatch);

/** A loss in a configuration. */
export interface ConfiguredLoss {
  /** Its registered name. */
  readonly name: string;
  /** Factor of the term; 1 if absent. */
  readonly weight?: number | undefined;
  /** kimg at which the term starts; the loss's own if absent. */
  readonly from?: number | undefined;
  /** Applied on every n-th step, n times as strong; the loss's own if absent. */
  readonly every?: number | undefined;
  /** The loss's options; its defaults if absent. */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
}

/** A part in a configuration. */
export interface ConfiguredPart {
  /** Its registered name. */
  readonly name: string;
  /** The part's options; its defaults if absent. */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
}

/** The student that is distilled. */
export interface ConfiguredStudent {
  /** How feature maps are doubled. */
  readonly upscale: ConfiguredPart;
  /** The two convolutions of every block. */
  readonly conv: ConfiguredPart;
  /** How their outputs are normalised. */
  readonly demodulation: ConfiguredPart;
  /** How images are predicted. */
  readonly head: ConfiguredPart;
  /** Whether every scale has a head in training; the paper's student has. */
  readonly auxiliary: boolean;
  /** What heads predict: wavelet bands, or colours with one block more at the full size. */
  readonly domain: "wavelet" | "pixel";
  /** Channels at 4, 8, ..., half the size; by default the teacher's. */
  readonly channels?: readonly number[] | undefined;
}

/** How the student's weights are updated: Adam. */
export interface ConfiguredOptimiser {
  /** Adam's rate. */
  readonly learningRate: number;
  /** Decay of the gradient's mean. */
  readonly beta1: number;
  /** Decay of the gradient's power. */
  readonly beta2: number;
  /** Keeps the division finite. */
  readonly epsilon: number;
  /** Steps over which the rate rises from zero. */
  readonly warmupSteps: number;
  /** `cosine` falls to zero at the last step; `constant` is the author's. */
  readonly decay: "constant" | "cosine";
  /** Largest norm of the gradient; absent: no clipping. */
  readonly clipNorm?: number | undefined;
}

/** How the discriminator of the adversarial term starts and learns: Adam. */
export interface ConfiguredDiscriminator {
  /** `teacher`: starts from the teacher's own; `random`: from nothing, as the author's code. */
  readonly initial: "random" | "teacher";
  /** Adam's rate. */
  readonly learningRate: number;
  /** Decay of the gradient's mean. */
  readonly beta1: number;
  /** Decay of the gradient's power. */
  readonly beta2: number;
}

/** The frozen network of the perceptual term. */
export type ConfiguredFeatures =
  | { readonly name: "discriminator" }
  | { readonly name: "vgg16"; readonly path: string };

/** A distillation, complete: every default filled in. */
export interface DistillConfig {
  /** Names the run's folder. */
  readonly name: string;
  /** File of the teacher; the context may give the network itself. */
  readonly teacher?: string | undefined;
  /** File of a student to start from; absent: random weights. */
  readonly initialStudent?: string | undefined;
  /** Plugins whose parts are used, as they were given. */
  readonly plugins: readonly string[];
  /** The student that is distilled. */
  readonly student: ConfiguredStudent;
  /** Seed of everything random. */
  readonly seed: number;
  /** Images per step. */
  readonly batch: number;
  /** Micro-batches that a step is computed in: their gradients are added, in less memory. */
  readonly accumulate: number;
  /** Steps of the whole run. */
  readonly steps: number;
  /** The terms of the objective. */
  readonly losses: readonly ConfiguredLoss[];
  /** How the student's weights are updated. */
  readonly optimiser: ConfiguredOptimiser;
  /** How the discriminator of the adversarial term starts and learns. */
  readonly discriminator: ConfiguredDiscriminator;
  /** The frozen network of the perceptual term. */
  readonly features?: ConfiguredFeatures | undefined;
  /** How the teacher's image is made smaller for the scales. */
  readonly pyramid: "bilinear" | "area";
  /** Probability that a sample mixes two styles. */
  readonly styleMixing: number;
  /** Psi of the styles that training draws; 1: none. */
  readonly truncation: number;
  /** Half-life in kimg of the student's moving average; 0: none. */
  readonly averageKimg: number;
  /** Steps between two measurements on held-out latents. */
  readonly sampleSteps: number;
  /** Steps between two checkpoints. */
  readonly checkpointSteps: number;
}

/** A value as written: what is absent takes its default, but a part has its name. */
export type Written<T> = T extends ConfiguredPart ? T
  : T extends readonly (infer Item)[] ? readonly Written<Item>[]
  : T extends object ? { readonly [Key in keyof T]?: Written<T[Key]> | undefined }
  : T;

/** A configuration as written: fields that are absent take their defaults, save the `Required`. */
export type WrittenConfig<Config, Required extends keyof Config> =
  & { readonly [Key in Exclude<keyof Config, Required>]?: Written<Config[Key]> | undefined }
  & { readonly [Key in Required]: Written<Config[Key]> };

/** A distillation as written: what is absent takes its default. */
export type DistillInput = WrittenConfig<DistillConfig, "steps" | "losses">;

/**
 * Validates a configuration and fills its defaults; names of parts and losses are looked up.
 *
 * @throws {RangeError} With one line that lists every field that is wrong.
 *
 * @example
 * ```ts
 * import { createRegistry, parseConfig } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const config = parseConfig({ steps: 10, losses: [{ name: "pixel" }] }, createRegistry());
 * assert.equal(config.batch, 16);
 * ```
 */
export function parseConfig(json: unknown, registry: PartSource): DistillConfig {
  const result = schema.safeParse(withoutMetadata(json));
  if (!result.success) throw refuseIssues(result.error.issues);
  const config = result.data;
  try {
    const terms = resolveTerms(config.losses as LossChoices, registry);
    expectTermsAtEveryStep(terms, { side: "student", batch: config.batch, whose: "student" });
    for (const kind of ["upscale", "conv", "demodulation", "head"] as const) {
      registry.resolve(kind, config.student[kind] as { name: string });
    }
  } catch (error) {
    if (!(error instanceof MissingPluginError) || config.plugins.length === 0) throw error;
    throw new RangeError(
      `${error.message}; the configuration names ${
        config.plugins.map((spec) => `"${spec}"`).join(", ")
      }, whose code runs only if you give it`,
      { cause: error },
    );
  }
  return config;
}

/** One sentence for everything that is wrong with a configuration. */
export function refuseIssues(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): RangeError {
  const all = issues.map(({ path, message }) =>
    path.length ? `"${path.map(String).join(".")}": ${message}` : message
  );
  return new RangeError(`Cannot read the configuration: ${all.join("; ")}`);
}

type LossChoices = Parameters<typeof resolveTerms>[0];
