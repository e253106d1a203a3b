/**
 * Kernels and layers by themselves, forward and with all gradients.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { HostArray, Weights } from "../core/contracts.ts";
import { createRandom } from "../core/random.ts";
import type { Engine } from "../engine/mod.ts";
import { separableModulatedConv } from "../layers/conv/separable_modulated.ts";
import { trainableDemodulation } from "../layers/demodulation/trainable.ts";
import { downsample } from "../layers/fir.ts";
import { haar, inverseHaar } from "../layers/haar.ts";
import { initModulatedConv, modulatedConv } from "../layers/modulated_conv.ts";
import type { Workload } from "./workload.ts";

const BATCH = 8;
const random = (name: string, shape: readonly number[]) =>
  createRandom(1, `bench.${name}`).normal(shape);

/** Opens a workload on an engine. */
export interface Kernel {
  (engine: Engine): Workload;
  /** What it is given. */
  inputs(): Record<string, HostArray>;
}

/** A function of arrays, and its gradients in all of them. */
function differentiated(
  name: string,
  shapes: Readonly<Record<string, readonly number[]>>,
  fn: (inputs: Readonly<Record<string, tf.Tensor>>) => tf.Tensor,
  { gradients = true }: { readonly gradients?: boolean } = {},
): Kernel {
  const names = Object.keys(shapes);
  const makeInputs = () =>
    Object.fromEntries(
      Object.entries(shapes).map(([key, shape]) => [key, random(`${name}.${key}`, shape)]),
    );
  const open = (engine: Engine): Workload => {
    const inputs: Record<string, HostArray> = makeInputs();
    const compiled = engine.compile((given: Record<string, tf.Tensor>) => {
      const loss = (...values: tf.Tensor[]) =>
        tf.mean(tf.square(fn(Object.fromEntries(names.map((key, i) => [key, values[i]!])))));
      const list = names.map((key) => given[key]!);
      if (!gradients) return { value: loss(...list), grads: [] };
      return tf.valueAndGrads(loss as (...values: tf.Tensor[]) => tf.Scalar)(list);
    }, { name });
    return {
      images: BATCH,
      run: async () => (await compiled(inputs)).value.data[0]!,
      programs: () => Promise.resolve([compiled.program(inputs)]),
    };
  };
  return Object.assign(open, { inputs: makeInputs });
}

const features = (px: number, channels: number) => [BATCH, px, px, channels];
const x4 = (x: tf.Tensor) => x as tf.Tensor4D;

function layer(
  name: string,
  weights: Weights,
  shapes: Readonly<Record<string, readonly number[]>>,
  fn: (inputs: Readonly<Record<string, tf.Tensor>>) => tf.Tensor,
) {
  const own = Object.fromEntries(Object.entries(weights).map(([key, { shape }]) => [key, shape]));
  return differentiated(name, { ...own, ...shapes }, fn);
}

const dims = { inChannels: 64, outChannels: 64, styleDim: 64 };

/** Passes of the workload that measures how fast memory is copied, over this many numbers. */
export const COPY = { passes: 8, size: 2 ** 24 } as const;

/** What bounds everything else: the rate of products, and of reading and writing memory. */
export const CEILINGS: typeof KERNELS = {
  "matrix products": differentiated(
    "matrix products",
    { x: [2048, 2048], w: [2048, 2048] },
    ({ x, w }) => tf.matMul(tf.matMul(x!, w!), w!),
    { gradients: false },
  ),
  "copies": differentiated(
    "copies",
    { x: [COPY.size] },
    ({ x }) => {
      let y = x!;
      // Not merged by any engine: neither is the other's inverse.
      for (let i = 0; i < COPY.passes; i += 2) y = tf.neg(tf.abs(y));
      return tf.slice(y, [0], [1]);
    },
    { gradients: false },
  ),
};

/** By name: what, channels, side in pixels; 8 images; forward and all gradients. */
export const KERNELS: Readonly<Record<string, Kernel>> = {
  "convolution 3x3, 64 channels, 64 px": differentiated(
    "convolution 3x3",
    { x: features(64, 64), w: [3, 3, 64, 64] },
    ({ x, w }) => tf.conv2d(x4(x!), x4(w!), 1, "same"),
  ),
  "convolution 1x1, 64 channels, 64 px": differentiated(
    "convolution 1x1",
    { x: features(64, 64), w: [1, 1, 64, 64] },
    ({ x, w }) => tf.conv2d(x4(x!), x4(w!), 1, "same"),
  ),
  "depthwise convolution 3x3, 64 channels, 64 px": differentiated(
    "depthwise convolution",
    { x: features(64, 64), w: [3, 3, 64, 1] },
    ({ x, w }) => tf.depthwiseConv2d(x4(x!), x4(w!), 1, "same"),
  ),
  "Haar transform and back, 16 channels, 128 px": differentiated(
    "Haar transform",
    { x: features(128, 16) },
    ({ x }) => tf.add(inverseHaar(tf.square(haar(x4(x!)))), 1),
  ),
  "halving by [1,3,3,1], 64 channels, 64 px": differentiated(
    "halving",
    { x: features(64, 64) },
    ({ x }) => downsample(x4(x!)),
  ),
  "layer: modulated convolution, 64 channels, 32 px": layer(
    "modulated convolution",
    initModulatedConv(dims, createRandom(1, "layer")),
    { x: features(32, 64), style: [BATCH, 64], noise: [1, 32, 32, 1] },
    ({ x, style, noise, ...weights }) =>
      modulatedConv(weights, {
        x: x4(x!),
        style: style as tf.Tensor2D,
        noise: x4(noise!),
      }),
  ),
  "layer: modulated up-convolution, 64 channels, 16 to 32 px": layer(
    "modulated up-convolution",
    initModulatedConv(dims, createRandom(1, "layer")),
    { x: features(16, 64), style: [BATCH, 64], noise: [1, 32, 32, 1] },
    ({ x, style, noise, ...weights }) =>
      modulatedConv(
        weights,
        { x: x4(x!), style: style as tf.Tensor2D, noise: x4(noise!) },
        { up: true },
      ),
  ),
  "layer: separable modulated convolution, 64 channels, 32 px": layer(
    "separable modulated convolution",
    separableModulatedConv.init(dims, createRandom(1, "layer"), {}),
    {
      x: features(32, 64),
      style: [BATCH, 64],
      noise: [1, 32, 32, 1],
      coefficients: [64],
    },
    ({ x, style, noise, coefficients, ...weights }) =>
      separableModulatedConv.apply(
        weights as Parameters<typeof separableModulatedConv.apply>[0],
        {
          x: x4(x!),
          style: style as tf.Tensor2D,
          noise: x4(noise!),
          demodulation: (given) =>
            trainableDemodulation.apply({ coefficients: coefficients! }, given, {}),
        },
        {},
      ),
  ),
};
