/** Convolutions of volumes and their adjoints. @module */
import * as tf from "@tensorflow/tfjs";
import type { Attributes } from "../program.ts";
import { type KernelRule, mismatch, type Rule } from "../rule.ts";
import { getFirst, leftOver, putFirst } from "./pooling.ts";
import { taps, type Windows, windowsOf } from "./windows.ts";

type Shape5D = [number, number, number, number, number];

/** The windows of a convolution of `[N,D,H,W,C]` with a filter `[kd,kh,kw,ci,co]`. */
function convolutionWindows(
  input: readonly number[],
  filter: readonly number[],
  { strides, pad, dilations = 1, dataFormat }: Attributes,
): Windows {
  if (dataFormat === "NCDHW") throw mismatch("data with channels last", dataFormat);
  const info = tf.backend_util.computeConv3DInfo(
    [...input] as Shape5D,
    [...filter] as Shape5D,
    strides,
    dilations,
    pad,
  );
  return windowsOf({
    input: input.slice(1, 4),
    output: [info.outDepth, info.outHeight, info.outWidth],
    kernel: filter.slice(0, 3),
    strides: [info.strideDepth, info.strideHeight, info.strideWidth],
    dilations: [info.dilationDepth, info.dilationHeight, info.dilationWidth],
    before: [info.padInfo.front, info.padInfo.top, info.padInfo.left],
  });
}

const nodeAttributes = ({ strides, dilations, before, after }: Windows) => ({
  strides,
  dilations,
  pads: [...before, ...after],
});

/** Rules of this family. */
export const convolution3dRules: readonly Rule[] = [
  {
    kernel: "Conv3D",
    inputs: ["x", "filter"],
    infer([x, filter], attributes) {
      const { output } = convolutionWindows(x!.shape, filter!.shape, attributes);
      return { shape: [x!.shape[0]!, ...output, filter!.shape[4]!], dtype: "float32" };
    },
    lower({ inputs: [x, filter], attributes, outputs: [out] }, l) {
      const windows = convolutionWindows(l.shape(x!), l.shape(filter!), attributes);
      const weight = l.transpose(l.get(filter!), [4, 3, 0, 1, 2]);
      putFirst(l, out!, l.emit("Conv", [getFirst(l, x!), weight], nodeAttributes(windows)));
    },
  } satisfies KernelRule,
  {
    kernel: "Conv3DBackpropInputV2",
    inputs: ["dy", "filter"],
    infer: (_, { inputShape }) => ({ shape: inputShape, dtype: "float32" }),
    lower({ inputs: [dy, filter], attributes, outputs: [out] }, l) {
      const windows = convolutionWindows(attributes["inputShape"], l.shape(filter!), attributes);
      const weight = l.transpose(l.get(filter!), [4, 3, 0, 1, 2]);
      const dx = l.emit("ConvTranspose", [getFirst(l, dy!), weight], {
        ...nodeAttributes(windows),
        output_padding: leftOver(windows),
      });
      putFirst(l, out!, dx);
    },
  } satisfies KernelRule,
  {
    kernel: "Conv3DBackpropFilterV2",
    // One matrix product per tap: the part of x that the tap meets, times dy.
    compose({ x, dy }, attributes) {
      const { filterShape } = attributes as { readonly filterShape: Shape5D };
      const [ci, co] = filterShape.slice(3) as [number, number];
      const windows = convolutionWindows(x!.shape, filterShape, attributes);
      const right = tf.reshape(dy!, [-1, co]);
      const products = taps(x!, windows).map((part) =>
        tf.matMul(tf.reshape(part, [-1, ci]), right, true)
      );
      return tf.reshape(tf.stack(products), filterShape);
    },
  },
];
