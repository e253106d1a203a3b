/**
 * Sets of images: reading them once, then comparing them.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { RowProducts } from "../../core/feature_stream.ts";
import type { ChosenMetric } from "./chosen_metrics.ts";
import { type Comparison, setsOf } from "./comparisons.ts";
import type { EvaluationFeatures } from "./features.ts";
import { imagesOf, type MeasuredSet, measureSet, type Needs } from "./image_sets.ts";
import { markOf, type Measurement } from "./measurement.ts";
import { generatorsOf, type Stage, type StageContext } from "./stage.ts";

/** Bytes of images of a set that are kept for metrics of images. */
const KEPT_BYTES = 2 ** 28;
/** Metrics that compare sets by what is kept of them. */
const BY_FEATURES = ["fid", "kid", "precision_recall"];
const NOT_OF_SETS = ["ppl", "distance", "cost"];

/** Stages that read every set, and one that compares them. */
export function setStages(context: StageContext): Stage[] {
  const { metrics, comparisons, networks, cache, engine } = context;
  const names = [...metrics.keys()].filter((name) => !NOT_OF_SETS.includes(name));
  if (names.length === 0) return [];
  const byImages = names.filter((name) => !BY_FEATURES.includes(name));
  const sizePx = generatorsOf(context.subjects)[0]![1].generator.config.sizePx;
  const needs: Needs = {
    images: byImages.length > 0 ? Math.floor(KEPT_BYTES / (3 * sizePx ** 2)) : 0,
    statistics: metrics.has("fid"),
    features: metrics.has("kid") || metrics.has("precision_recall"),
  };
  const measured = new Map<string, MeasuredSet>();
  const reading = setsOf(comparisons).map((set): Stage => ({
    name: `images: ${set.label}`,
    units: set.count,
    run: async (tick) => {
      measured.set(set.label, await measureSet(set, { needs, networks, cache, tick }));
      return [];
    },
  }));
  return [
    ...reading,
    {
      name: "comparing sets",
      units: 0,
      run: async () => {
        const multiply = engine.compile(
          ({ left, right }: { left: tf.Tensor; right: tf.Tensor }) =>
            tf.matMul(left as tf.Tensor2D, right as tf.Tensor2D, false, true),
          { name: "products of features" },
        );
        const products: RowProducts = (left, right) => multiply({ left, right });
        noteLimits(context, measured, byImages);
        const results: Measurement[] = [];
        for (const comparison of comparisons) {
          for (const name of names) {
            const chosen = metrics.get(name)!;
            results.push(
              ...await compareSets(comparison, chosen, { measured, networks, products }),
            );
          }
        }
        await multiply.dispose();
        measured.clear(); // the images of large sets
        return results;
      },
    },
  ];
}

/** Says where sets are smaller than their numbers deserve. */
function noteLimits(
  { metrics, findings }: StageContext,
  measured: ReadonlyMap<string, MeasuredSet>,
  byImages: readonly string[],
): void {
  const sets = [...measured.values()];
  const few = sets.find(({ bytes, set }) => bytes && bytes.count < set.count);
  if (few) {
    findings.notes.push(
      `${byImages.join(", ")}: only the first ${
        few.bytes!.count
      } images of each set are compared, for memory's sake`,
    );
  }
  if (!metrics.has("fid")) return;
  for (const [label, { statistics }] of sets[0]!.byFeatures) {
    const { count, mean } = statistics!;
    if (count > mean.length) continue;
    findings.notes.push(
      `fid by ${label}: ${count} images are too few for ${mean.length} numbers each: far too large, compare with the floor only`,
    );
  }
}

async function compareSets(
  { images, reference, subject, floor }: Comparison,
  { metric, options }: ChosenMetric,
  { measured, networks, products }: {
    readonly measured: ReadonlyMap<string, MeasuredSet>;
    readonly networks: readonly EvaluationFeatures[];
    readonly products: RowProducts;
  },
): Promise<Measurement[]> {
  const [own, other] = [measured.get(images.label)!, measured.get(reference.label)!];
  const common = {
    metric: metric.name,
    subject: images.label,
    reference: reference.label,
    ...floor && { floor },
  };
  if (!BY_FEATURES.includes(metric.name)) {
    const inputs = { images: imagesOf(own.bytes!), reference: imagesOf(other.bytes!) };
    return [{ ...common, values: await metric.compute(inputs, options) }];
  }
  const results: Measurement[] = [];
  for (const network of networks) {
    const of = ({ byFeatures }: MeasuredSet) => {
      const { statistics, features } = byFeatures.get(network.label)!;
      return metric.name === "fid" ? statistics! : [features!];
    };
    const mark = subject && markOf(network, subject);
    results.push({
      ...common,
      features: network.label,
      ...mark && { mark },
      values: await metric.compute({ features: of(own), reference: of(other), products }, options),
    });
  }
  return results;
}
