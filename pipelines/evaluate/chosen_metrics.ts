/**
 * Which metrics an evaluation computes.
 *
 * @module
 */
import type { AnyMetric, PartSource } from "../../core/contracts.ts";
import type { EvaluateConfig } from "../evaluate_config.ts";

/** A metric with its validated options. */
export interface ChosenMetric {
  readonly metric: AnyMetric;
  readonly options: unknown;
}

/** What an evaluation has to measure. */
export interface AtHand {
  /** Two sets of images at least. */
  readonly sets: boolean;
  /** A student and its teacher. */
  readonly pairs: boolean;
  /** A feature network. */
  readonly features: boolean;
}

/** The built-in metrics in the order of a report. */
export const builtinMetrics = [
  "fid",
  "kid",
  "swd",
  "precision_recall",
  "ppl",
  "distance",
  "cost",
] as const;

const SETS = "another set of images; give --teacher FILE or --real avatars";
const FEATURES =
  "a feature network; give --features vgg16=FILE, --features inception=FILE or --features FILE.onnx, or a teacher with its discriminator";

/** What a metric lacks, in words; `undefined` if it has everything. */
function lackOf(name: string, { sets, pairs, features }: AtHand): string | undefined {
  switch (name) {
    case "ppl":
    case "cost":
      return undefined;
    case "distance":
      return pairs
        ? undefined
        : "a student and its teacher; give --weights FILE and --teacher FILE";
    case "fid":
    case "kid":
    case "precision_recall":
      return !sets ? SETS : features ? undefined : FEATURES;
    default: // swd, and those of plugins: two streams of images
      return sets ? undefined : SETS;
  }
}

/**
 * The metrics of a configuration by name; by default the built-in ones that have what they need.
 *
 * @returns The metrics, and a sentence on those that were left out.
 * @throws {RangeError} If a metric that is named lacks something.
 */
export function chooseMetrics(
  { metrics }: EvaluateConfig,
  { registry, atHand }: { readonly registry: PartSource; readonly atHand: AtHand },
): { readonly chosen: ReadonlyMap<string, ChosenMetric>; readonly notes: readonly string[] } {
  const chosen = new Map<string, ChosenMetric>();
  const notes: string[] = [];
  for (const choice of metrics ?? builtinMetrics.map((name) => ({ name }))) {
    const { name } = choice;
    const lack = lackOf(name, atHand);
    if (lack && metrics) {
      throw new RangeError(
        `Cannot compute ${name}: expected ${lack.replace(";", " but received none;")}`,
      );
    }
    if (lack) {
      notes.push(`${name} is not measured: it needs ${lack}`);
      continue;
    }
    const options = "options" in choice && choice.options ? { options: choice.options } : {};
    const resolved = registry.resolve("metric", { name, ...options });
    chosen.set(name, { metric: resolved.part, options: resolved.options });
  }
  return { chosen, notes };
}
