/**
 * The configuration of an evaluation: plain JSON, validated once.
 *
 * @module
 */
import { z } from "zod";
import type { PartSource } from "../core/contracts.ts";
import type { ImageRange } from "../io/onnx_network.ts";
import { type ConfiguredPart, refuseIssues, type WrittenConfig } from "./distill_config.ts";

/** Which features images are compared by. */
export type EvaluationFeatureChoice =
  /** The teacher's discriminator, which its file must hold. */
  | { readonly name: "discriminator" }
  /** torchvision's VGG16; without a path the file that PyTorch's tools keep. */
  | { readonly name: "vgg16"; readonly path?: string | undefined }
  /** pytorch-fid's Inception; without a path the file that PyTorch's tools keep. */
  | { readonly name: "inception"; readonly path?: string | undefined }
  /** An ONNX file with one image input and one feature output. */
  | {
    readonly name: "onnx";
    readonly path: string;
    /** Values that it expects of images; -1..1 by default. */
    readonly range?: ImageRange | undefined;
  };

const features = z.discriminatedUnion("name", [
  z.strictObject({ name: z.literal("discriminator") }),
  z.strictObject({ name: z.literal("vgg16"), path: z.string().optional() }),
  z.strictObject({ name: z.literal("inception"), path: z.string().optional() }),
  z.strictObject({
    name: z.literal("onnx"),
    path: z.string(),
    range: z.enum(["-1..1", "0..1", "0..255"]).optional(),
  }),
]);

const schema = z.strictObject({
  name: z.string().regex(/^[\w.-]+$/).default("evaluation"),
  weights: z.string().optional(),
  teacher: z.string().optional(),
  real: z.string().optional(),
  plugins: z.array(z.string()).default([]),
  metrics: z.array(
    z.strictObject({
      name: z.string(),
      options: z.record(z.string(), z.unknown()).optional(),
    }),
  ).min(1).optional(),
  features: z.array(features).optional(),
  samples: z.int().min(2).default(2048),
  pairs: z.int().positive().default(512),
  paths: z.int().positive().default(512),
  timedRuns: z.int().positive().default(30),
  seed: z.int().nonnegative().default(0),
  batch: z.int().positive().optional(),
});

/** An evaluation, complete: every default filled in. */
export interface EvaluateConfig {
  /** Names the folder of the report. */
  readonly name: string;
  /** File of the generator that is evaluated, or a shipped model's name for its student. */
  readonly weights?: string | undefined;
  /** File of its teacher, or a shipped model's name. */
  readonly teacher?: string | undefined;
  /** Real images: `avatars`, or a folder of PNG and JPEG files. */
  readonly real?: string | undefined;
  /** Plugins whose parts and metrics are used, as they were given. */
  readonly plugins: readonly string[];
  /** What is measured; by default all built-in metrics that have what they need. */
  readonly metrics?: readonly ConfiguredPart[] | undefined;
  /**
   * Features for the metrics that compare by them; each has columns of its own. By default the
   * teacher's discriminator, if there is one.
   */
  readonly features?: readonly EvaluationFeatureChoice[] | undefined;
  /** Images of every set that is compared as a set. */
  readonly samples: number;
  /** Latents on which student and teacher are compared image by image. */
  readonly pairs: number;
  /** Paths in w whose lengths are measured. */
  readonly paths: number;
  /** Timed runs of every network. */
  readonly timedRuns: number;
  /** Seed of all latents. Their streams are not those of training. */
  readonly seed: number;
  /** Images per run of a generator; by default 16, and fewer of more than 128 px. Results do not depend on it. */
  readonly batch?: number | undefined;
}

/** With what depends on the generators. */
export type ResolvedEvaluateConfig = EvaluateConfig & { readonly batch: number };

/** An evaluation as written: what is absent takes its default. */
export type EvaluateInput = WrittenConfig<EvaluateConfig, never>;

/**
 * Validates the configuration of an evaluation and fills its defaults; metrics are looked up.
 *
 * @throws {RangeError} With one line that lists every field that is wrong.
 *
 * @example
 * ```ts
 * import { createRegistry, parseEvaluateConfig } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const config = parseEvaluateConfig({ metrics: [{ name: "swd" }] }, createRegistry());
 * assert.equal(config.samples, 2048);
 * ```
 */
export function parseEvaluateConfig(json: unknown, registry: PartSource): EvaluateConfig {
  const result = schema.safeParse(json);
  if (!result.success) throw refuseIssues(result.error.issues);
  const config = result.data;
  const seen = new Set<string>();
  for (const { name, options } of config.metrics ?? []) {
    registry.resolve("metric", options ? { name, options } : { name });
    if (seen.has(name)) {
      throw new RangeError(
        `Cannot read the configuration: expected every metric once but received "${name}" twice`,
      );
    }
    seen.add(name);
  }
  return config;
}
