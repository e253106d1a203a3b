/** The smallest distillation and training that exercise every term: 16 px, random teacher. */
import type { DistillInput } from "../../pipelines/distill_config.ts";
import type { TrainTeacherInput } from "../../pipelines/train_teacher_config.ts";
import { initDiscriminator } from "../../networks/discriminator.ts";
import { createTeacher, type Teacher } from "../../networks/generator.ts";

const channels = [8, 8, 4];
const discriminatorConfig = { sizePx: 16, channels, stddevGroup: 4 };

/** A teacher with random weights and a discriminator. */
export function tinyTeacher(): Teacher {
  const config = { sizePx: 16, styleDim: 8, mappingLayers: 2, channels };
  return {
    ...createTeacher(config, { seed: 3 }),
    discriminator: {
      config: discriminatorConfig,
      weights: initDiscriminator(discriminatorConfig, 1),
    },
  };
}

/** Every built-in term within 12 steps of 8 images. */
export const tinyDistill = {
  name: "tiny",
  steps: 12,
  batch: 8,
  seed: 5,
  losses: [
    { name: "pixel" },
    { name: "wavelet" },
    { name: "perceptual", from: 0.03 },
    { name: "adversarial", weight: 0.5, from: 0.03 },
    { name: "r1", from: 0.03, every: 4, options: { gamma: 0.1 } },
    { name: "band_smoothness", weight: 0.1, every: 5 },
  ],
  features: { name: "discriminator" },
  discriminator: { initial: "teacher" },
  optimiser: { learningRate: 2e-3, clipNorm: 1, decay: "cosine", warmupSteps: 2 },
  averageKimg: 0.05,
  sampleSteps: 6,
  checkpointSteps: 4,
} as const satisfies DistillInput;

/** A teacher's training of a few steps. */
export const tinyTraining = {
  name: "tiny-teacher",
  network: { sizePx: 16, styleDim: 8, mappingLayers: 2, channels },
  discriminator: { sizePx: 16, channels },
  batch: 4,
  kimg: 0.032,
  dataImages: 16,
  losses: [{ name: "adversarial" }, { name: "r1", every: 4, options: { gamma: 0.1 } }],
  checkpointKimg: 0.012,
  sampleKimg: 0.016,
} as const satisfies TrainTeacherInput;
