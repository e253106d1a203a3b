/**
 * The feature networks by which an evaluation compares images.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { HostArray, Weights } from "../../core/contracts.ts";
import { lift } from "../../core/flat.ts";
import { under } from "../../core/params.ts";
import { fromBytes, toBytes } from "../../core/pixels.ts";
import type { Engine } from "../../engine/mod.ts";
import { openOnnxNetwork } from "../../io/onnx_network.ts";
import { findInTorchCache, torchCachePath } from "../../io/torch_cache.ts";
import { featureDistance } from "../../metrics/features/feature_distance.ts";
import { discriminatorFeatures } from "../../networks/discriminator.ts";
import { vgg16Features } from "../../networks/features.ts";
import type { Teacher } from "../../networks/generator.ts";
import { inceptionFeatures } from "../../networks/inception.ts";
import { readFeatureWeights } from "../feature_file.ts";
import type { EvaluationFeatureChoice } from "../evaluate_config.ts";
import { checksumOf } from "../run_metadata.ts";

/** Features of images, with what a report must say of them. */
export interface EvaluationFeatures {
  readonly name: EvaluationFeatureChoice["name"];
  /** Names columns: the network and its checksum, so that no two protocols are mixed. */
  readonly label: string;
  /** In a sentence: which network, from where, which of its numbers. */
  readonly description: string;
  readonly checksum: string;
  /** `[N,D]` of images in about [-1, 1], which become bytes first as those of files. */
  vectors(images: HostArray): Promise<HostArray>;
  /** Perceptual distance of every pair; images are taken as they are. */
  distance(left: HostArray, right: HostArray): Promise<readonly number[]>;
  dispose(): Promise<void>;
}

/** What is needed to open features. */
export interface FeatureContext {
  readonly engine: Engine;
  readonly teacher: Teacher | undefined;
}

/**
 * Opens the features that a configuration names.
 *
 * @throws {RangeError} If the network is not at hand; the error says how to give it.
 */
export async function openEvaluationFeatures(
  choice: EvaluationFeatureChoice,
  { engine, teacher }: FeatureContext,
): Promise<EvaluationFeatures> {
  switch (choice.name) {
    case "discriminator":
      return discriminatorFeaturesOf(teacher, engine);
    case "vgg16": {
      const path = await pathOf(choice);
      const weights = await readFeatureWeights(path, "vgg16");
      const own = under(weights, "features");
      return networkFeatures(engine, {
        name: "vgg16",
        weights: own,
        origin: `VGG16 of ${path}, relu1_2, relu2_2, relu3_3 and relu4_3 at ${VGG16_PX} px`,
        batch: () => 8,
        maps: (image) => {
          const options = { inputPx: VGG16_PX, normalisation: "imagenet" } as const;
          return vgg16Features(lift(own), image, options);
        },
      });
    }
    case "inception": {
      const path = await pathOf(choice);
      const weights = await readFeatureWeights(path, "inception");
      return networkFeatures(engine, {
        name: "inception",
        weights,
        origin: `FID's Inception of ${path}, last maps at 299 px`,
        batch: () => 8,
        maps: (image) => {
          const features = inceptionFeatures(lift(weights), image);
          return [tf.reshape(features, [image.shape[0], 1, 1, -1])];
        },
      });
    }
    case "onnx":
      return await onnxFeatures(choice, engine);
  }
}

const VGG16_PX = 224; // what VGG16 was trained on

async function pathOf(
  { name, path }: { readonly name: "vgg16" | "inception"; readonly path?: string | undefined },
): Promise<string> {
  const found = path ?? await findInTorchCache(name);
  if (found) return found;
  throw new RangeError(
    `Cannot open the features "${name}": expected their weights at ${
      torchCachePath(name)
    } but there is no such file; give --features ${name}=FILE`,
  );
}

function discriminatorFeaturesOf(
  teacher: Teacher | undefined,
  engine: Engine,
): EvaluationFeatures {
  const discriminator = teacher?.discriminator;
  if (!discriminator) {
    throw new RangeError(
      `Cannot open the features "discriminator": expected a teacher with its discriminator but received ${
        teacher ? "one without it" : "no teacher"
      }; give --features vgg16=FILE, --features inception=FILE or --features FILE.onnx, or --metrics swd,distance,cost`,
    );
  }
  const { weights, config } = discriminator;
  return networkFeatures(engine, {
    name: "discriminator",
    weights,
    origin: "the teacher's discriminator, the outputs of its residual blocks",
    batch: (sizePx) => Math.max(1, Math.min(16, Math.floor(2 ** 22 / sizePx ** 2))),
    maps: (image) => discriminatorFeatures(lift(weights), image, config),
  });
}

/** Features of a network of ours: the means of its maps over the positions. */
function networkFeatures(
  engine: Engine,
  { name, weights, origin, batch, maps }: {
    readonly name: "discriminator" | "vgg16" | "inception";
    readonly weights: Weights;
    readonly origin: string;
    /** Images at a time, as many as the memory bears. */
    readonly batch: (sizePx: number) => number;
    readonly maps: (image: tf.Tensor4D) => tf.Tensor4D[];
  },
): EvaluationFeatures {
  const checksum = checksumOf(weights);
  const means = engine.compile(
    ({ image }: { image: tf.Tensor }) =>
      tf.concat(maps(image as tf.Tensor4D).map((map) => tf.mean(map, [1, 2])), 1),
    { name: `features (${name})` },
  );
  const distances = engine.compile(
    ({ left, right }: { left: tf.Tensor; right: tf.Tensor }) =>
      featureDistance(maps(left as tf.Tensor4D), maps(right as tf.Tensor4D)),
    { name: `feature distance (${name})` },
  );
  return {
    name,
    checksum,
    label: `${name} ${checksum}`,
    description: `${origin}, averaged over the positions (checksum ${checksum})`,
    vectors: (images) =>
      inBatches(
        [quantised(images)],
        batch(images.shape[1]!),
        ([image]) => means({ image: image! }),
      ),
    distance: async (left, right) => {
      const { data } = await inBatches(
        [left, right],
        batch(left.shape[1]!),
        ([left, right]) => distances({ left: left!, right: right! }),
      );
      return [...data];
    },
    dispose: async () => {
      await means.dispose();
      await distances.dispose();
    },
  };
}

async function onnxFeatures(
  { path, range = "-1..1" }: Extract<EvaluationFeatureChoice, { name: "onnx" }>,
  { threads }: Engine,
): Promise<EvaluationFeatures> {
  const network = await openOnnxNetwork(path, { range, threads });
  const { checksum } = network;
  const file = path.replace(/^.*[\\/]/, "");
  return {
    name: "onnx",
    checksum,
    label: `${file} ${checksum}`,
    description: `the network ${path}, ${network.input} (checksum ${checksum})`,
    vectors: (images) => network.run(quantised(images)),
    distance: async (left, right) => {
      const [a, b] = [await network.run(left), await network.run(right)];
      return tf.tidy(() => {
        const map = ({ shape, data }: HostArray) => tf.tensor4d(data, [shape[0]!, 1, 1, shape[1]!]);
        return [...featureDistance([map(a)], [map(b)]).dataSync()];
      });
    },
    dispose: network.dispose,
  };
}

/** Images as a file would give them back. */
function quantised({ shape, data }: HostArray): HostArray {
  return { shape, data: fromBytes(toBytes(data)) };
}

/** Runs whole batches, so that one graph serves all; missing images repeat the last. */
async function inBatches(
  inputs: readonly HostArray[],
  batch: number,
  run: (batch: readonly HostArray[]) => Promise<HostArray>,
): Promise<HostArray> {
  const count = inputs[0]!.shape[0]!;
  const parts: HostArray[] = [];
  for (let first = 0; first < count; first += batch) {
    parts.push(await run(inputs.map((input) => wholeBatch(input, first, batch))));
  }
  const [, ...rest] = parts[0]!.shape;
  const size = parts[0]!.data.length / batch;
  const data = new Float32Array(count * size);
  parts.forEach((part, i) => {
    const kept = Math.min(batch, count - i * batch) * size;
    data.set(part.data.subarray(0, kept), i * batch * size);
  });
  return { shape: [count, ...rest], data };
}

function wholeBatch({ shape, data }: HostArray, first: number, batch: number): HostArray {
  const [count, ...rest] = shape as [number, ...number[]];
  const size = data.length / count;
  if (first + batch <= count) {
    return {
      shape: [batch, ...rest],
      data: data.subarray(first * size, (first + batch) * size),
    };
  }
  const whole = new Float32Array(batch * size);
  for (let i = 0; i < batch; i++) {
    const from = Math.min(first + i, count - 1) * size;
    whole.set(data.subarray(from, from + size), i * size);
  }
  return { shape: [batch, ...rest], data: whole };
}
