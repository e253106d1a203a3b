/**
 * What is built before it is measured: networks of a size, with the same random weights and inputs
 * for every engine and peer.
 *
 * @module
 */
import type { HostArray, Weights } from "../core/contracts.ts";
import { prefixed, under } from "../core/params.ts";
import { createRandom } from "../core/random.ts";
import { channelsOf, noiseShapes, type TeacherConfig } from "../networks/config.ts";
import { initDiscriminator } from "../networks/discriminator.ts";
import { studentConfig } from "../networks/generator.ts";
import { initMapping } from "../networks/mapping.ts";
import { initMobileSynthesis } from "../networks/mobile_synthesis.ts";
import { initSynthesis } from "../networks/synthesis.ts";
import { teacherPresets } from "../pipelines/presets.ts";
import { createRegistry } from "../registry.ts";

/** Networks of a size. */
export interface Scenario {
  readonly name: string;
  readonly network: TeacherConfig;
  /** Images per training step. */
  readonly batch: number;
  /** Images per run of a generator. */
  readonly images: number;
  /** Too large to be run often: its start is measured only. */
  readonly startOnly?: boolean;
}

/** Images per group of the minibatch deviation. */
export const STDDEV_GROUP = 4;
/** Strength of R1. */
export const GAMMA = 0.05;

/** Sizes by name. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  "avatars-64": {
    name: "avatars-64",
    network: teacherPresets["avatars-64"].network,
    batch: teacherPresets["avatars-64"].batch,
    images: 16,
  },
  /** A quarter of StyleGAN2's channels. */
  "quarter-256": {
    name: "quarter-256",
    network: {
      sizePx: 256,
      styleDim: 128,
      mappingLayers: 8,
      channels: channelsOf(256, { base: 8192, maximum: 128 }),
    },
    batch: 4,
    images: 1,
  },
  /** StyleGAN2's config-f. */
  "ffhq-256": {
    name: "ffhq-256",
    network: { sizePx: 256, styleDim: 512, mappingLayers: 8, channels: channelsOf(256) },
    batch: 4,
    images: 1,
    startOnly: true,
  },
  /** StyleGAN2's config-f, images only. */
  "ffhq-1024": {
    name: "ffhq-1024",
    network: { sizePx: 1024, styleDim: 512, mappingLayers: 8, channels: channelsOf(1024) },
    batch: 0,
    images: 1,
  },
};

/**
 * Weights and inputs of a scenario by name. Noise strengths and biases that start at zero are not
 * zero here: a runtime that knows them as constants would leave their additions out.
 */
export function scenarioArrays(scenario: Scenario): Weights {
  const arrays = Object.entries(initialArrays(scenario));
  return Object.fromEntries(arrays.map(([name, array]) => [name, withoutZeros(name, array)]));
}

function withoutZeros(name: string, array: HostArray): HostArray {
  const starts = /\.(noise_strength|bias)$/.test(name) && array.data.every((value) => value === 0);
  return starts ? createRandom(1, `bench.${name}`).normal(array.shape, 0.1) : array;
}

function initialArrays({ network, batch, images }: Scenario): Weights {
  const { sizePx, styleDim, channels } = network;
  const random = (name: string) => createRandom(1, `bench.${name}`);
  const image = (name: string) => random(name).normal([batch, sizePx, sizePx, 3], 0.5);
  const discriminator = { sizePx, channels, stddevGroup: STDDEV_GROUP };
  const { w_mean: _, ...mapping } = initMapping(network, 1);
  const generators = {
    ...prefixed(mapping, "teacher/mapping"),
    ...prefixed(initSynthesis(network, 1), "teacher/synthesis"),
    ...prefixed(
      initMobileSynthesis(studentConfig(network), 1, createRegistry()),
      "student/synthesis",
    ),
    ...Object.fromEntries(
      noiseShapes(sizePx).map((shape, i) => [`noise/${i}`, random(`noise.${i}`).normal(shape)]),
    ),
    "images/z": random("images.z").normal([images, styleDim]),
  };
  if (batch === 0) return generators;
  return {
    ...generators,
    ...renamed(initDiscriminator(discriminator, 1), "discriminator/"),
    "batch/z": random("z").normal([batch, styleDim]),
    "mixing/z": random("mixing").normal([2 * batch, styleDim]),
    "mixing/mix": mixing(batch, 2 * Math.log2(sizePx) - 2),
    "batch/fake": image("fake"),
    "batch/real": image("real"),
  };
}

/** What a peer must know of a scenario besides the arrays. */
export function scenarioNumbers({ network }: Scenario): Readonly<Record<string, number>> {
  const { sizePx, mappingLayers } = network;
  return { sizePx, mappingLayers, stddevGroup: STDDEV_GROUP, gamma: GAMMA };
}

/** The arrays under a prefix that ends with a slash. */
export function below(arrays: Weights, prefix: string): Weights {
  return Object.fromEntries(
    Object.entries(arrays).filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );
}

/** Weights of the student's synthesis network, by their own names. */
export function studentWeights(arrays: Weights): Weights {
  return under(below(arrays, "student/"), "synthesis");
}

function renamed(weights: Weights, prefix: string): Weights {
  return Object.fromEntries(
    Object.entries(weights).map(([name, value]) => [`${prefix}${name}`, value]),
  );
}

/** Half of the layers take the second style. */
function mixing(batch: number, layers: number): HostArray {
  const data = Float32Array.from(
    { length: batch * layers },
    (_, i) => i % layers > layers / 2 ? 1 : 0,
  );
  return { shape: [batch, layers, 1], data };
}
