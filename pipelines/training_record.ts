/**
 * What a file of a student says of its training: which networks looked at its images, so that an
 * evaluation by the same networks can be marked.
 *
 * @module
 */
import { inspectSafetensorsFile } from "../io/safetensors.ts";
import type { DistillConfig } from "./distill_config.ts";
import type { Term } from "./objective.ts";

/** The networks that a training looked through. */
export interface TrainingRecord {
  /** Of the terms that compare features, such as `perceptual`. */
  readonly features?: "discriminator" | "vgg16";
  /** What the discriminator started from. */
  readonly discriminator?: "teacher" | "random";
  /** The plugins whose parts it may have, as they were given. */
  readonly plugins?: readonly string[];
}

/** Its key in the file's metadata. */
export const TRAINING_KEY = "haarlem.training";

/** The record of a distillation, as metadata of its student's file. */
export function trainingMetadata(
  { features, discriminator, plugins }: DistillConfig,
  terms: readonly Term[],
): Readonly<Record<string, string>> {
  const uses = (need: "features" | "discriminator") =>
    terms.some(({ loss, weight }) => loss.needs?.[need] && weight !== 0);
  const record: TrainingRecord = {
    ...uses("features") && features && { features: features.name },
    ...uses("discriminator") && { discriminator: discriminator.initial },
    ...plugins.length > 0 && { plugins },
  };
  return { [TRAINING_KEY]: JSON.stringify(record) };
}

/** The record of a file; `undefined` if it has none, so that nothing is known. */
export async function readTrainingRecord(path: string): Promise<TrainingRecord | undefined> {
  if (!path.endsWith(".safetensors")) return undefined;
  const text = (await inspectSafetensorsFile(path)).metadata[TRAINING_KEY];
  return text === undefined ? undefined : JSON.parse(text) as TrainingRecord;
}
