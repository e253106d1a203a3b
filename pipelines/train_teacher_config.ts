/**
 * The configuration of a teacher's training: plain JSON, validated once.
 *
 * @module
 */
import { z } from "zod";
import type { PartSource } from "../core/contracts.ts";
import { checkDiscriminatorConfig, checkTeacherConfig } from "../networks/config.ts";
import { lossSchema, type ReadonlyDeep, refuseIssues } from "./distill_config.ts";
import { type LossChoice, resolveTerms } from "./objective.ts";

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
});

/** A training of a teacher, complete: every default filled in. */
export type TrainTeacherConfig = z.output<typeof schema>;
/** A training as written: what is absent takes its default. */
export type TrainTeacherInput = ReadonlyDeep<z.input<typeof schema>>;

/**
 * Validates a configuration and fills its defaults.
 *
 * @throws {RangeError} With one line that lists every field that is wrong.
 */
export function parseTeacherConfig(json: unknown, registry: PartSource): TrainTeacherConfig {
  const result = schema.safeParse(json);
  if (!result.success) throw refuseIssues(result.error.issues);
  const config = result.data;
  checkTeacherConfig(config.network);
  checkDiscriminatorConfig(config.discriminator);
  resolveTerms(config.losses as LossChoice[], registry);
  return config;
}
