/**
 * The frozen feature network of a run: resolved from the configuration before the first step.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import { lift } from "../core/flat.ts";
import { under } from "../core/params.ts";
import type { Engine } from "../engine/mod.ts";
import { discriminatorFeatures } from "../networks/discriminator.ts";
import {
  discriminatorFeatureMaps,
  meanMagnitudes,
  measureMagnitudes,
  vgg16Features,
} from "../networks/features.ts";
import type { Teacher } from "../networks/generator.ts";
import { readFeatureWeights } from "./feature_file.ts";
import type { DistillConfig } from "./distill_config.ts";
import { drawImages } from "./generate_images.ts";
import { imagesPerRun, type RunningGenerator } from "./run_generator.ts";

/** Gives feature maps of images; a pure function that is traced. */
export interface FeatureNetwork {
  /** For reports: which network, from where. */
  readonly name: string;
  maps(image: tf.Tensor4D): tf.Tensor4D[];
}

const REMEDY =
  "name one: --set features.name=discriminator for a teacher file with its discriminator, or --set features.name=vgg16 --set features.path=FILE for torchvision's weights";

/**
 * Loads the feature network that a configuration names.
 *
 * @throws {RangeError} If a loss needs features and none is at hand.
 */
export async function openFeatureNetwork(
  config: DistillConfig,
  teacher: RunningGenerator<Teacher>,
  engine: Engine,
): Promise<FeatureNetwork> {
  const choice = config.features;
  if (!choice) {
    throw new RangeError(
      `Cannot compute perceptual features: expected a feature network but the configuration has none; ${REMEDY}`,
    );
  }
  if (choice.name === "vgg16") {
    const weights = await readFeatureWeights(choice.path, "vgg16");
    const params = under(weights, "features");
    return {
      name: `vgg16 of ${choice.path}`,
      maps: (image) => vgg16Features(lift(params), image),
    };
  }
  const { discriminator, config: { sizePx } } = teacher.generator;
  if (!discriminator) {
    throw new RangeError(
      `Cannot compute perceptual features: expected a teacher with its discriminator but its file has none; ${REMEDY}`,
    );
  }
  const { weights, config: shape } = discriminator;
  const measure = engine.compile(
    ({ image }: { image: tf.Tensor }) =>
      meanMagnitudes(discriminatorFeatures(lift(weights), image as tf.Tensor4D, shape)),
    { name: "feature magnitudes" },
  );
  const size = imagesPerRun(sizePx);
  const magnitudes = await measureMagnitudes(async (batch) => {
    const seeds = Array.from({ length: size }, (_, i) => size * batch + i);
    return await measure({ image: await drawImages(teacher, { seeds }) });
  });
  await measure.dispose();
  return {
    name: "the teacher's discriminator",
    maps: (image) => discriminatorFeatureMaps(lift(weights), image, { config: shape, magnitudes }),
  };
}
