/**
 * Which sets of images an evaluation compares with which.
 *
 * @module
 */
import type { ImageSource } from "../../data/image_source.ts";
import type { ResolvedEvaluateConfig } from "../evaluate_config.ts";
import { generatedSet, type ImageSet, realSet } from "./image_sets.ts";
import { latentsFor } from "./latents.ts";
import type { RunningSubject, Subjects } from "./subjects.ts";

/** Two sets to compare. */
export interface Comparison {
  readonly images: ImageSet;
  readonly reference: ImageSet;
  /** Whose images they are, for marks; absent for real ones. */
  readonly subject?: RunningSubject;
  /** Both sets come from one origin: what the metric gives for equals, with so many images. */
  readonly floor: boolean;
}

/** The first real image that no training here draws, where images are endless. */
export function firstHeldOut({ length }: ImageSource): number {
  return length === Infinity ? 1_000_000 : 0;
}

/**
 * The comparisons of what is at hand: student with teacher, both with real images. Sets are of
 * different latents, so that a student cannot gain by copying, and so that the teacher compared with
 * itself (and real images with others) shows how low a number can be.
 */
export function comparisonsOf(
  { student, teacher, real }: Subjects,
  { samples, seed, batch }: ResolvedEvaluateConfig,
  engine: string,
): Comparison[] {
  const generated = (
    subject: RunningSubject,
    label: string,
    purpose: "images" | "reference",
  ) =>
    generatedSet(subject, {
      label,
      latents: latentsFor({ seed, purpose }, subject.generator.config),
      identity: `${purpose} of seed ${seed} on ${engine}`,
      count: samples,
      batch,
    });
  const comparisons: Comparison[] = [];
  const ownStudent = student && generated(student, "student", "images");
  const ownTeacher = teacher && generated(teacher, "teacher", "images");
  if (student && ownStudent && teacher && ownTeacher) {
    const reference = generated(teacher, "teacher, other latents", "reference");
    comparisons.push(
      { images: ownStudent, reference, subject: student, floor: false },
      { images: ownTeacher, reference, subject: teacher, floor: true },
    );
  }
  if (real) {
    const count = Math.min(samples, real.length);
    const first = firstHeldOut(real);
    const label = real.length === Infinity ? "real images, held out" : "real images";
    const reference = realSet(real, { label, first, count, batch });
    if (student && ownStudent) {
      comparisons.push({ images: ownStudent, reference, subject: student, floor: false });
    }
    if (teacher && ownTeacher) {
      comparisons.push({ images: ownTeacher, reference, subject: teacher, floor: false });
    }
    if (real.length >= 2 * samples) {
      const others = realSet(real, {
        label: "other real images",
        first: first + samples,
        count: samples,
        batch,
      });
      comparisons.push({ images: others, reference, floor: true });
    }
  }
  return comparisons;
}

/** The sets of some comparisons, each once. */
export function setsOf(comparisons: readonly Comparison[]): ImageSet[] {
  return [...new Set(comparisons.flatMap(({ images, reference }) => [reference, images]))];
}
