/**
 * Measures a student against its teacher on latents that training never draws.
 *
 * @module
 */
import type { HostArray } from "../core/contracts.ts";
import type { Engine } from "../engine/mod.ts";
import type { Student, Teacher } from "../networks/generator.ts";
import { generateImages } from "./generate_images.ts";

/** Seeds of the held-out latents; their stream ("latent") is not that of training ("z"). */
export const HELD_OUT_SEEDS: readonly number[] = Array.from(
  { length: 64 },
  (_, i) => 1_000_000 + i,
);

/** The teacher's side, computed once per run. */
export interface HeldOut {
  /** `[64,S,S,3]` */
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

/** Generates the teacher's held-out images, and its mean image from 256 others. */
export async function openHeldOut(teacher: Teacher, engine: Engine): Promise<HeldOut> {
  const teacherImages = await generateImages(teacher, { seeds: HELD_OUT_SEEDS }, { engine });
  const others = Array.from({ length: 256 }, (_, i) => 2_000_000 + i);
  const { shape, data } = await generateImages(teacher, { seeds: others }, { engine });
  const size = data.length / others.length;
  const repeated = new Float32Array(teacherImages.data.length);
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let k = 0; k < others.length; k++) sum += data[k * size + i]!;
    for (let k = 0; k < HELD_OUT_SEEDS.length; k++) repeated[k * size + i] = sum / others.length;
  }
  const mean = { shape: [HELD_OUT_SEEDS.length, ...shape.slice(1)], data: repeated };
  return { teacherImages, meanImagePsnrDb: setPsnrDb(mean, teacherImages) };
}

/** The student's held-out images and their PSNR in dB. */
export async function measureHeldOut(
  student: Student,
  { teacherImages }: HeldOut,
  engine: Engine,
): Promise<{ readonly images: HostArray; readonly psnrDb: number }> {
  const images = await generateImages(student, { seeds: HELD_OUT_SEEDS }, { engine });
  return { images, psnrDb: setPsnrDb(images, teacherImages) };
}
