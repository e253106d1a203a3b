/**
 * The configuration of a teacher's training: plain JSON, validated once.
 *
 * @module
 */
import { z } from "zod";
import type { PartSource } from "../core/contracts.ts";
import {
  checkDiscriminatorConfig,
  checkTeacherConfig,
  type DiscriminatorConfig,
  type TeacherConfig,
} from "../networks/config.ts";
import {
  type ConfiguredLoss,
  dividesBatch,
  lossSchema,
  refuseIssues,
  type WrittenConfig,
} from "./distill_config.ts";
import { expectTermsAtEveryStep, type LossChoice, resolveTerms } from "./objective.ts";
import { withoutMetadata } from "./run_metadata.ts";

const channels = z.array(z.int().positive());

const schema = z.strictObject({
  /** Names the run's folder. */
  name: z.string().regex(/^[\w.-]+$/).default("teacher"),
  /** `avatars`, or a folder of PNG and JPEG files. */
  data: z.string().default("avatars"),
  /** Distinct real images, drawn at random; the avatars are endless. */
  dataImages: z.int().positive().default(20_000),
  /** Whether half of the real images are mirrored. The avatars all look the same way: no. */
  flips: z.boolean().default(false),
  network: z.strictObject({
    sizePx: z.int().positive(),
    styleDim: z.int().positive().default(512),
    mappingLayers: z.int().positive().default(8),
    /** Channels at 4, 8, ..., `sizePx`. */
    channels,
  }),
  discriminator: z.strictObject({
    sizePx: z.int().positive(),
    channels,
    stddevGroup: z.int().positive().default(4),
  }),
  seed: z.int().nonnegative().default(0),
  batch: z.int().positive().default(16),
  /** Micro-batches that a step is computed in: their gradients are added, in less memory. */
  accumulate: z.int().positive().default(1),
  /** Length of the training in thousand images. */
  kimg: z.number().positive(),
  learningRate: z.number().positive().default(0.002),
  /** `adversarial` and `r1`; `path_length` if wanted. */
  losses: z.array(lossSchema).min(1).default([{ name: "adversarial" }, { name: "r1" }]),
  /** Probability that an image mixes two styles. */
  styleMixing: z.number().min(0).max(1).default(0.9),
  /** Half-life of the averaged generator. */
  averageKimg: z.number().positive().default(10),
  /** The half-life is at most this fraction of the images seen so far. */
  averageRampUp: z.number().positive().default(0.05),
  checkpointKimg: z.number().positive().default(5),
  sampleKimg: z.number().positive().default(5),
}).superRefine(dividesBatch);

/** A training of a teacher, complete: every default filled in. */
export interface TrainTeacherConfig {
  /** Names the run's folder. */
  readonly name: string;
  /** `avatars`, or a folder of PNG and JPEG files. */
  readonly data: string;
  /** Distinct real images, drawn at random; the avatars are endless. */
  readonly dataImages: number;
  /** Whether half of the real images are mirrored. The avatars all look the same way: no. */
  readonly flips: boolean;
  /** The generator. */
  readonly network: TeacherConfig;
  /** Its critic. */
  readonly discriminator: DiscriminatorConfig;
  /** Seed of everything random. */
  readonly seed: number;
  /** Images per step. */
  readonly batch: number;
  /** Micro-batches that a step is computed in: their gradients are added, in less memory. */
  readonly accumulate: number;
  /** Length of the training in thousand images. */
  readonly kimg: number;
  /** Adam's rate, of both networks. */
  readonly learningRate: number;
  /** `adversarial` and `r1`; `path_length` if wanted. */
  readonly losses: readonly ConfiguredLoss[];
  /** Probability that an image mixes two styles. */
  readonly styleMixing: number;
  /** Half-life of the averaged generator. */
  readonly averageKimg: number;
  /** The half-life is at most this fraction of the images seen so far. */
  readonly averageRampUp: number;
  /** Thousand images between two checkpoints. */
  readonly checkpointKimg: number;
  /** Thousand images between two grids of samples. */
  readonly sampleKimg: number;
}

/** A training as written: what is absent takes its default. */
export type TrainTeacherInput =
  & Omit<WrittenConfig<TrainTeacherConfig, "kimg">, "network" | "discriminator">
  & {
    /** Sizes and channels must be given. */
    readonly network: Partial<TeacherConfig> & Pick<TeacherConfig, "sizePx" | "channels">;
    /** Sizes and channels must be given. */
    readonly discriminator:
      & Partial<DiscriminatorConfig>
      & Pick<DiscriminatorConfig, "sizePx" | "channels">;
  };

/**
 * Validates a configuration and fills its defaults.
 *
 * @throws {RangeError} With one line that lists every field that is wrong.
 */
export function parseTeacherConfig(json: unknown, registry: PartSource): TrainTeacherConfig {
  const result = schema.safeParse(withoutMetadata(json));
  if (!result.success) throw refuseIssues(result.error.issues);
  const config = result.data;
  checkTeacherConfig(config.network);
  checkDiscriminatorConfig(config.discriminator);
  const terms = resolveTerms(config.losses as LossChoice[], registry);
  const { batch } = config;
  expectTermsAtEveryStep(terms, { side: "student", batch, whose: "generator" });
  expectTermsAtEveryStep(terms, { side: "discriminator", batch, whose: "discriminator" });
  return config;
}
