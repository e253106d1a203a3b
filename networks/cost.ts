/**
 * Parameters and multiply-adds of the networks, layer by layer, from their shapes.
 *
 * The convention: one multiply-add is one product and its sum; a convolution that upsamples counts
 * at its input grid (its zeros are no work); FIR filters count their 4x4 taps at every output pixel
 * and stand apart, as fully connected layers do; element-wise work, fixed wavelet transforms and
 * the computation of demodulation factors do not count. Buffers (noise maps, means, frozen
 * coefficients) are no parameters.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { HostArray, PartSource } from "../core/contracts.ts";
import { lift } from "../core/flat.ts";
import type { Random } from "../core/random.ts";
import {
  checkDiscriminatorConfig,
  checkTeacherConfig,
  type DiscriminatorConfig,
  noiseShapes,
  sizesTo,
  type StudentConfig,
  type TeacherConfig,
} from "./config.ts";
import type { MappingConfig } from "./mapping.ts";
import { planStudent } from "./student_plan.ts";

/** What one layer, or a whole network, costs. Multiply-adds are of one image. */
export interface Cost {
  /** Trained numbers. */
  readonly parameters: number;
  /** Multiply-adds of the convolutions: the number that papers quote. */
  readonly convolution: number;
  /** Multiply-adds of the fully connected layers: mapping, styles, the discriminator's last. */
  readonly linear: number;
  /** Multiply-adds of the fixed FIR filters. */
  readonly filter: number;
}

/** The cost of one layer. */
export interface LayerCost extends Cost {
  /** Name of the layer: the prefix of its weights. */
  readonly layer: string;
  /** Side of its output in pixels. */
  readonly sizePx: number;
  /** Whether its part does not say how many multiply-adds it needs. */
  readonly uncounted?: true;
}

/** The cost of a network. */
export interface NetworkCost {
  /** In the order of the forward pass. */
  readonly layers: readonly LayerCost[];
  /** Their sum. */
  readonly total: Cost;
}

const FIR_TAPS = 16; // [1,3,3,1] x [1,3,3,1]

function networkCost(layers: readonly LayerCost[]): NetworkCost {
  const sum = (field: keyof Cost) => layers.reduce((total, layer) => total + layer[field], 0);
  const total = {
    parameters: sum("parameters"),
    convolution: sum("convolution"),
    linear: sum("linear"),
    filter: sum("filter"),
  };
  return { layers, total };
}

/**
 * The cost of the mapping network.
 *
 * @example Config-f
 * ```ts
 * import { mappingCost } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const { total } = mappingCost({ styleDim: 512, mappingLayers: 8 });
 * assert.equal(total.parameters, 2_101_248);
 * ```
 */
export function mappingCost({ styleDim, mappingLayers }: MappingConfig): NetworkCost {
  return networkCost(Array.from({ length: mappingLayers }, (_, i) => ({
    layer: `mapping.${i}`,
    sizePx: 1,
    parameters: styleDim ** 2 + styleDim,
    convolution: 0,
    linear: styleDim ** 2,
    filter: 0,
  })));
}

/**
 * The cost of a teacher's synthesis network.
 *
 * @example Config-f at 1024 px
 * ```ts
 * import { channelsOf, teacherCost } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const config = { sizePx: 1024, styleDim: 512, mappingLayers: 8, channels: channelsOf(1024) };
 * const { total } = teacherCost(config);
 * assert.equal(total.parameters, 28_268_812);
 * assert.equal(total.convolution, 74_260_144_128);
 * ```
 */
export function teacherCost(config: TeacherConfig): NetworkCost {
  checkTeacherConfig(config);
  const { styleDim, channels } = config;
  const conv = (layer: string, sizePx: number, from: number, to: number, up: boolean) => ({
    layer: `synthesis.${sizePx}.${layer}`,
    sizePx,
    parameters: 9 * from * to + to + 1 + (styleDim + 1) * from,
    convolution: 9 * from * to * (up ? sizePx / 2 : sizePx) ** 2,
    linear: styleDim * from,
    filter: up ? FIR_TAPS * to * sizePx ** 2 : 0,
  });
  const rgb = (sizePx: number, from: number) => ({
    layer: `synthesis.${sizePx}.rgb`,
    sizePx,
    parameters: 3 * from + 3 + (styleDim + 1) * from,
    convolution: 3 * from * sizePx ** 2,
    linear: styleDim * from,
    filter: sizePx > 4 ? FIR_TAPS * 3 * sizePx ** 2 : 0,
  });
  return networkCost(
    sizesTo(config.sizePx).flatMap((sizePx, i) => {
      const own = channels[i]!;
      const first = i === 0
        ? constant(sizePx, own)
        : conv("conv0", sizePx, channels[i - 1]!, own, true);
      return [first, conv("conv1", sizePx, own, own, false), rgb(sizePx, own)];
    }),
  );
}

function constant(sizePx: number, channels: number): LayerCost {
  const parameters = sizePx ** 2 * channels;
  return {
    layer: `synthesis.${sizePx}.const`,
    sizePx,
    parameters,
    convolution: 0,
    linear: 0,
    filter: 0,
  };
}

/**
 * The cost of a discriminator.
 *
 * @example Config-f at 1024 px
 * ```ts
 * import { channelsOf, discriminatorCost } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const config = { sizePx: 1024, channels: channelsOf(1024), stddevGroup: 4 };
 * assert.equal(discriminatorCost(config).total.parameters, 29_012_513);
 * ```
 */
export function discriminatorCost(config: DiscriminatorConfig): NetworkCost {
  checkDiscriminatorConfig(config);
  const { sizePx, channels } = config;
  const conv = (
    layer: string,
    { size, taps, from, to, bias = true, filter = 0 }: {
      readonly size: number; // of the output
      readonly taps: number;
      readonly from: number;
      readonly to: number;
      readonly bias?: boolean;
      readonly filter?: number;
    },
  ) => ({
    layer: `discriminator.${layer}`,
    sizePx: size,
    parameters: taps * from * to + (bias ? to : 0),
    convolution: taps * from * to * size ** 2,
    linear: 0,
    filter,
  });
  const linear = (layer: string, from: number, to: number) => ({
    layer: `discriminator.${layer}`,
    sizePx: 1,
    parameters: from * to + to,
    convolution: 0,
    linear: from * to,
    filter: 0,
  });
  const last = channels[0]!;
  const blocks = sizesTo(sizePx).slice(1).map((size, i) => {
    const [from, to] = [channels[i + 1]!, channels[i]!];
    const half = size / 2;
    const blur = FIR_TAPS * from * (size + 1) ** 2;
    const halving = FIR_TAPS * from * half ** 2;
    return [
      conv(`${size}.conv0`, { size, taps: 9, from, to: from }),
      conv(`${size}.conv1`, { size: half, taps: 9, from, to, filter: blur }),
      conv(`${size}.skip`, { size: half, taps: 1, from, to, bias: false, filter: halving }),
    ];
  });
  return networkCost([
    conv(`${sizePx}.rgb`, { size: sizePx, taps: 1, from: 3, to: channels.at(-1)! }),
    ...blocks.reverse().flat(),
    conv("4.conv", { size: 4, taps: 9, from: last + 1, to: last }),
    linear("4.fc", 16 * last, last),
    linear("4.out", last, 1),
  ]);
}

/* A sequence of zeros: initial weights are made for their shapes only. */
const blank: Random = {
  next: () => 0,
  integer: () => 0,
  normal: zeros,
  uniform: zeros,
};

function zeros(shape: readonly number[]): HostArray {
  return { shape, data: new Float32Array(shape.reduce((product, size) => product * size, 1)) };
}

/**
 * The cost of a student's synthesis network: in training with `auxiliary: true`, for inference with
 * `auxiliary: false` (only the last head) and `fused: true` (no demodulation weights).
 *
 * @throws {RangeError} If the configuration, a part's name or its options are not valid.
 *
 * @example Heads at every scale are a part of training only
 * ```ts
 * import { createRegistry, createStudent, createTeacher, studentCost } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const registry = createRegistry();
 * const teacher = createTeacher({ sizePx: 16, styleDim: 8, mappingLayers: 2, channels: [8, 8, 4] });
 * const { config } = createStudent(teacher, {}, { registry });
 * const { layers } = studentCost(config, registry);
 * assert.deepEqual(layers.filter(({ layer }) => layer.includes("head")).length, 2);
 * ```
 */
export function studentCost(config: StudentConfig, parts: PartSource): NetworkCost {
  const { places } = planStudent(config, parts);
  return networkCost([
    constant(4, config.channels[0]!),
    ...places.map(({ prefix, buffers, init, sizePx, multiplyAdds }): LayerCost => ({
      layer: `synthesis.${prefix}`,
      sizePx,
      parameters: Object.entries(init(blank))
        .filter(([name]) => !buffers.includes(name))
        .reduce((sum, [, { data }]) => sum + data.length, 0),
      convolution: multiplyAdds?.convolution ?? 0,
      linear: multiplyAdds?.style ?? 0,
      filter: multiplyAdds?.filter ?? 0,
      ...(multiplyAdds ? {} : { uncounted: true }),
    })),
  ]);
}

/**
 * What a student costs once it is exported: auxiliary heads dropped, and demodulation merged into
 * the weights if it does not depend on the style.
 *
 * Runs the demodulation once, on two numbers, on TensorFlow.js's current backend.
 *
 * @example Merged demodulation costs nothing
 * ```ts
 * import { createRegistry, createStudent, createTeacher, inferenceCost } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const registry = createRegistry();
 * const teacher = createTeacher({ sizePx: 16, styleDim: 8, mappingLayers: 2, channels: [8, 8, 4] });
 * const cost = (name: string) =>
 *   inferenceCost(createStudent(teacher, { demodulation: { name } }, { registry }).config, registry);
 * assert.deepEqual(cost("trainable"), cost("frozen"));
 * ```
 */
export function inferenceCost(config: StudentConfig, parts: PartSource): NetworkCost {
  const { part, options } = parts.resolve("demodulation", config.demodulation);
  const constantFactors = tf.tidy(() => {
    const params = lift(part.init({ inChannels: 1 }, blank, options));
    const inputs = { energy: tf.ones<tf.Rank.R2>([1, 1]), modulation: tf.ones<tf.Rank.R2>([2, 1]) };
    return part.apply(params, inputs, options).shape[0] === 1;
  });
  return studentCost({ ...config, auxiliary: false, fused: constantFactors }, parts);
}

/** Numbers in the noise maps of a network: an exported graph may hold them as constants. */
export function noiseSize(lastPx: number): number {
  return noiseShapes(lastPx).reduce((sum, [, height, width]) => sum + height * width, 0);
}
