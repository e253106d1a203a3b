/**
 * Configurations by name. Each says what it is for; what it gave stands in the README.
 *
 * @module
 */
import type { DistillInput } from "./distill_config.ts";
import type { TrainTeacherInput } from "./train_teacher_config.ts";

/** The author's losses and weights (MobileStyleGAN.pytorch); VGG16 must be named by its user. */
const authorLosses = [
  { name: "pixel" },
  { name: "wavelet" },
  { name: "perceptual" },
  {
    name: "adversarial",
    weight: 0.5,
    options: { augment: { flip: 0.5, move: 0.5, erase: 0.5 } },
  },
  { name: "r1", options: { gamma: 10 } },
] as const;

/** Heads that start small: an untrained student is grey instead of noise, and learns at once. */
const smallHeads = { head: { name: "single", options: { gain: 0.02 } } } as const;

/** Presets of {@linkcode distill}. */
export const presets = {
  /** Five minutes on two cores: pixels and wavelets, the rest from 90% of the images on. */
  "avatars-64-quick": {
    name: "avatars-64-quick",
    teacher: "avatars-64",
    student: smallHeads,
    batch: 16,
    steps: 3000,
    losses: [
      { name: "pixel" },
      { name: "wavelet" },
      { name: "perceptual", weight: 0.1, from: 43.2, every: 2 },
      { name: "adversarial", weight: 0.02, from: 43.2, every: 2 },
      { name: "r1", from: 43.2, options: { gamma: 0.05 } },
    ],
    optimiser: { learningRate: 0.02, warmupSteps: 50, decay: "cosine", clipNorm: 1 },
    discriminator: { initial: "teacher", learningRate: 1e-3, beta1: 0, beta2: 0.99 },
    features: { name: "discriminator" },
    pyramid: "area",
    averageKimg: 1,
    sampleSteps: 500,
    checkpointSteps: 500,
  },
  /** What the shipped student was made with. */
  "avatars-64": {
    name: "avatars-64",
    teacher: "avatars-64",
    student: smallHeads,
    batch: 16,
    steps: 30_000,
    losses: [
      { name: "pixel" },
      { name: "wavelet" },
      { name: "perceptual", weight: 0.1, from: 432, every: 2 },
      { name: "adversarial", weight: 0.02, from: 432, every: 2 },
      { name: "r1", from: 432, options: { gamma: 0.05 } },
    ],
    optimiser: { learningRate: 0.02, warmupSteps: 200, decay: "cosine", clipNorm: 1 },
    discriminator: { initial: "teacher", learningRate: 1e-3, beta1: 0, beta2: 0.99 },
    features: { name: "discriminator" },
    pyramid: "area",
    averageKimg: 2,
    sampleSteps: 3000,
    checkpointSteps: 1000,
  },
  /** The author's settings at 256 px; needs a teacher, and VGG16 for the perceptual term. */
  "ffhq-256": {
    name: "ffhq-256",
    batch: 8,
    steps: 300_000,
    losses: authorLosses,
    optimiser: { learningRate: 5e-4, clipNorm: 1 },
    averageKimg: 10,
    sampleSteps: 1000,
    checkpointSteps: 1000,
  },
  /** The author's settings at 1024 px; needs a teacher, and VGG16 for the perceptual term. */
  "ffhq-1024": {
    name: "ffhq-1024",
    batch: 8,
    steps: 500_000,
    losses: authorLosses,
    optimiser: { learningRate: 5e-4, clipNorm: 1 },
    averageKimg: 10,
    sampleSteps: 1000,
    checkpointSteps: 500,
  },
} as const satisfies Readonly<Record<string, DistillInput>>;

/** Presets of {@linkcode trainTeacher}. */
export const teacherPresets = {
  /** The shipped teacher: StyleGAN2 small enough for two cores. R1's gamma is 20 times ADA's rule: with less, the discriminator wins. */
  "avatars-64": {
    name: "teacher-avatars-64",
    data: "avatars",
    network: { sizePx: 64, styleDim: 64, mappingLayers: 4, channels: [64, 64, 64, 48, 32] },
    discriminator: { sizePx: 64, channels: [64, 64, 64, 48, 32] },
    seed: 1,
    batch: 16,
    kimg: 400,
    learningRate: 0.002,
    losses: [{ name: "adversarial" }, { name: "r1", options: { gamma: 1 } }],
    styleMixing: 0.5,
    averageKimg: 5,
    checkpointKimg: 2.5,
  },
} as const satisfies Readonly<Record<string, TrainTeacherInput>>;
