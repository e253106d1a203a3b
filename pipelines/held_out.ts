/**
 * Measures a student against its teacher on latents that training never draws.
 *
 * @module
 */
import type { HostArray } from "../core/contracts.ts";
import type { Engine } from "../engine/mod.ts";
import type { Student } from "../networks/generator.ts";
import { drawImages, generateImages } from "./generate_images.ts";
import { imagesPerRun, type RunningGenerator } from "./run_generator.ts";

/**
 * Seeds of the held-out latents; their stream ("latent") is not that of training ("z"). Of images of
 * more than 256 px fewer are held: 64 of 1024 px would be 0.8 GB.
 */
export function heldOutSeeds(sizePx: number): number[] {
  return Array.from({ length: sizePx > 256 ? 16 : 64 }, (_, i) => 1_000_000 + i);
}

/** Seeds of other latents, for the mean image: of large images fewer, as each takes its time. */
function meanSeeds(sizePx: number): number[] {
  return Array.from({ length: sizePx > 64 ? 64 : 256 }, (_, i) => 2_000_000 + i);
}

/** The teacher's side, computed once per run. */
export interface HeldOut {
  /** `[N,S,S,3]`, of {@linkcode heldOutSeeds} */
  readonly teacherImages: HostArray;
  /** PSNR in dB of the teacher's mean image against the held-out images: what knowing nothing gives. */
  readonly meanImagePsnrDb: number;
}

/** PSNR in dB over a whole set: `10 log10(4 / MSE)` of images clamped to [-1, 1]. */
export function setPsnrDb(images: HostArray, reference: HostArray): number {
  const clamp = (x: number) => Math.max(-1, Math.min(1, x));
  let sum = 0;
  for (let i = 0; i < images.data.length; i++) {
    sum += (clamp(images.data[i]!) - clamp(reference.data[i]!)) ** 2;
  }
  return 10 * Math.log10(4 / Math.max(sum / images.data.length, 1e-12));
}

/**
 * Generates the teacher's held-out images, and its mean image from others.
 *
 * @throws {DOMException} `AbortError`, if the signal is aborted meanwhile.
 */
export async function openHeldOut(
  teacher: RunningGenerator,
  signal?: AbortSignal,
): Promise<HeldOut> {
  const seeds = heldOutSeeds(teacher.generator.config.sizePx);
  const teacherImages = await drawImages(teacher, { seeds });
  const mean = await meanImage(teacher, signal);
  const repeated = new Float32Array(teacherImages.data.length);
  for (let k = 0; k < seeds.length; k++) repeated.set(mean, k * mean.length);
  const { shape } = teacherImages;
  return { teacherImages, meanImagePsnrDb: setPsnrDb({ shape, data: repeated }, teacherImages) };
}

async function meanImage(
  teacher: RunningGenerator,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const { sizePx } = teacher.generator.config;
  const seeds = meanSeeds(sizePx);
  const sum = new Float64Array(3 * sizePx ** 2);
  const batch = imagesPerRun(sizePx);
  for (let first = 0; first < seeds.length; first += batch) {
    signal?.throwIfAborted();
    const { data } = await drawImages(teacher, { seeds: seeds.slice(first, first + batch) });
    for (let i = 0; i < data.length; i++) sum[i % sum.length]! += data[i]!;
  }
  return sum.map((total) => total / seeds.length);
}

/** The student's held-out images and their PSNR in dB. */
export async function measureHeldOut(
  student: Student,
  { teacherImages }: HeldOut,
  engine: Engine,
): Promise<{ readonly images: HostArray; readonly psnrDb: number }> {
  const seeds = heldOutSeeds(student.config.sizePx);
  const images = await generateImages(student, { seeds }, { engine });
  return { images, psnrDb: setPsnrDb(images, teacherImages) };
}
