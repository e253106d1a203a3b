/** Grey-scale dilation and its adjoints. @module */
import * as tf from "@tensorflow/tfjs";
import type { Attributes } from "../program.ts";
import type { NamedInputs, Rule } from "../rule.ts";
import { firstHits, taps, untaps, type Windows, windowsOf } from "./windows.ts";

const OUTSIDE = -3e38; // loses against every pixel

function dilationWindows({ x, filter }: NamedInputs, attributes: Attributes): Windows {
  const { strides, pad, dilations } = attributes;
  const info = tf.backend_util.computeDilation2DInfo(
    x!.shape as [number, number, number, number],
    filter!.shape as [number, number, number],
    strides,
    pad,
    "NHWC",
    dilations,
  );
  return windowsOf({
    input: [info.inHeight, info.inWidth],
    output: [info.outHeight, info.outWidth],
    kernel: [info.filterHeight, info.filterWidth],
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    before: [info.padInfo.top, info.padInfo.left],
  });
}

/** Each tap's pixels plus the filter's number there, and the largest of all. */
function candidates(inputs: NamedInputs, windows: Windows) {
  const { x, filter } = inputs;
  const [, , channels] = filter!.shape as [number, number, number];
  const numbers = tf.unstack(tf.reshape(filter!, [-1, channels]));
  const sums = taps(x!, windows, OUTSIDE).map((part, i) => tf.add(part, numbers[i]!));
  return { sums, largest: sums.reduce((a, b) => tf.maximum(a, b)) };
}

/** The part of dy that each tap receives: all of it where the tap is the first largest. */
function shares(inputs: NamedInputs, windows: Windows): tf.Tensor[] {
  const { sums, largest } = candidates(inputs, windows);
  return firstHits(sums, largest).map((hit) => tf.mul(hit, inputs["dy"]!));
}

/** Rules of this family. */
export const morphologyRules: readonly Rule[] = [
  {
    kernel: "Dilation2D",
    compose: (inputs, attributes) =>
      candidates(inputs, dilationWindows(inputs, attributes)).largest,
  },
  {
    kernel: "Dilation2DBackpropInput",
    compose(inputs, attributes) {
      const windows = dilationWindows(inputs, attributes);
      return untaps(shares(inputs, windows), windows);
    },
  },
  {
    kernel: "Dilation2DBackpropFilter",
    compose(inputs, attributes) {
      const parts = shares(inputs, dilationWindows(inputs, attributes));
      const sums = parts.map((part) => tf.sum(part, [0, 1, 2]));
      return tf.reshape(tf.stack(sums), inputs["filter"]!.shape);
    },
  },
];
