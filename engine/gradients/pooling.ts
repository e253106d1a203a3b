/** Derivatives of pooling. @module */
import * as tf from "@tensorflow/tfjs";
import { poolWindows } from "../kernels/pooling.ts";
import { firstHits, taps, type Windows } from "../kernels/windows.ts";
import type { Attributes } from "../program.ts";
import { type Gradient, linearIn, runKernel } from "./gradient.ts";

/** For each output, the size of its window divided by the part of it that lies in the image. */
function overhang({ input, output, kernel, strides, before }: Windows): tf.Tensor | undefined {
  const factors = output.map((count, axis) =>
    Array.from({ length: count }, (_, i) => {
      const start = i * strides[axis]! - before[axis]!;
      const inside = Math.min(start + kernel[axis]!, input[axis]!) - Math.max(start, 0);
      return kernel[axis]! / inside;
    })
  );
  if (factors.flat().every((factor) => factor === 1)) return undefined;
  return factors.reduce<tf.Tensor>(
    (product, list, axis) =>
      tf.mul(product, tf.tensor(list, [1, ...output.map((n, i) => i === axis ? n : 1), 1])),
    tf.scalar(1),
  );
}

/**
 * The derivative of an average, which divides by what lies in the image. TensorFlow.js's own divides
 * by the whole window.
 */
const averageGradient = (kernel: string) =>
  linearIn("x", kernel, (dy, attributes, x) => {
    const windows = poolWindows(x.shape, attributes);
    const factor = overhang(windows);
    const inputs = { dy: factor ? tf.mul(dy, factor) : dy, input: x };
    return runKernel(`${kernel}Grad`, inputs, withoutRounding(windows, attributes));
  });

/** The same windows by their padding: for images, TensorFlow.js's kernel knows no rounding. */
function withoutRounding({ before, after }: Windows, attributes: Attributes): Attributes {
  if (!attributes["dimRoundingMode"] || before.length === 3) return attributes;
  const pad = [[0, 0], ...before.map((n, i) => [n, after[i]!]), [0, 0]];
  return { ...attributes, pad, dimRoundingMode: undefined };
}

/** The kernel is the adjoint of a sum over windows divided by their size. */
const averageGradientGradient = (kernel: string): Gradient => ({
  kernelName: `${kernel}Grad`,
  inputsToSave: ["input"],
  gradFunc: (ddx, saved, attributes) => {
    const [input] = saved as [tf.Tensor];
    return {
      dy: () => {
        const factor = overhang(poolWindows(input.shape, attributes as Attributes));
        const mean = runKernel(kernel, { x: ddx as tf.Tensor }, attributes);
        return factor ? tf.div(mean, factor) : mean;
      },
      input: () => tf.zeros(input.shape),
    };
  },
});

const maximumGradient = (kernel: string): Gradient => ({
  kernelName: kernel,
  inputsToSave: ["x"],
  outputsToSave: [true],
  gradFunc: (dy, saved, attributes) => {
    const [input, output] = saved as [tf.Tensor, tf.Tensor];
    const inputs = { dy: dy as tf.Tensor, input, output };
    return { x: () => runKernel(`${kernel}Grad`, inputs, attributes) };
  },
});

/** Picks from ddx where each window has its maximum. */
const maximumGradientGradient = (kernel: string): Gradient => ({
  kernelName: `${kernel}Grad`,
  inputsToSave: ["input", "output"],
  gradFunc: (ddx, saved, attributes) => {
    const [input, output] = saved as [tf.Tensor, tf.Tensor];
    return {
      dy: () => {
        const windows = poolWindows(input.shape, attributes as Attributes);
        const order = input.rank === 5 ? "last" : "first";
        const hits = firstHits(taps(input, windows, -3e38), output, order);
        const parts = taps(ddx as tf.Tensor, windows);
        return tf.addN(parts.map((part, i) => tf.mul(part, hits[i]!)));
      },
      input: () => tf.zeros(input.shape),
      output: () => tf.zeros(output.shape),
    };
  },
});

const argmaxGradient: Gradient = {
  kernelName: "MaxPoolWithArgmax",
  inputsToSave: ["x"],
  outputsToSave: [true, false],
  gradFunc: (gradients, saved, attributes) => {
    const [input, output] = saved as [tf.Tensor, tf.Tensor];
    const [dy] = gradients as tf.Tensor[];
    return { x: () => runKernel("MaxPoolGrad", { dy: dy!, input, output }, attributes) };
  },
};

/** Derivatives of this family. */
export const poolingGradients: readonly Gradient[] = [
  ...["AvgPool", "AvgPool3D"].flatMap((kernel) => [
    averageGradient(kernel),
    averageGradientGradient(kernel),
  ]),
  ...["MaxPool", "MaxPool3D"].flatMap((kernel) => [
    maximumGradient(kernel),
    maximumGradientGradient(kernel),
  ]),
  argmaxGradient,
];
