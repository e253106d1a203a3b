import type { EvaluationFeatures } from "./features.ts";
import type { RunningSubject } from "./subjects.ts";

/** Why a number is not quite what it seems. */
export type Mark =
  /** The features were used in training: what is trained by them looks better to them. */
  | "used in training"
  /** Nothing is known of the training. */
  | "training unknown";

/** What a metric gave. */
export interface Measurement {
  /** The metric's name; `time`, `early_exit` and `detail` are what only an evaluation measures. */
  readonly metric: string;
  /** Whose: `student`, `teacher`, `real images`, ... */
  readonly subject: string;
  /** Compared with what; absent for measures of one network. */
  readonly reference?: string;
  /** The label of the features; numbers of different ones do not compare. */
  readonly features?: string;
  /** Why a number is not quite what it seems. */
  readonly mark?: Mark;
  /** Two sets of one origin are compared: what cannot be undercut with so many images. */
  readonly floor?: true;
  /** The numbers by name. */
  readonly values: Readonly<Record<string, number>>;
}

/** The mark of a measurement of a generator by features. */
export function markOf(
  { name }: EvaluationFeatures,
  { generator, training }: RunningSubject,
): Mark | undefined {
  // The teacher was trained against its discriminator, and a student imitates that teacher.
  if (name === "discriminator") return "used in training";
  if (name !== "vgg16" || generator.kind === "teacher") return undefined;
  if (!training) return "training unknown";
  return training.features === "vgg16" ? "used in training" : undefined;
}
