/** Pooling of 2-D images: what frozen feature networks need. @module */
import * as tf from "@tensorflow/tfjs";
import type { Attributes } from "../program.ts";
import type { KernelRule } from "../rule.ts";

type Shape4D = [number, number, number, number];

/** The geometry of a pooling: output, window, strides and padding before and after. */
function geometry(
  input: readonly number[],
  { filterSize, strides, pad, dimRoundingMode }: Attributes,
) {
  const info = tf.backend_util.computePool2DInfo(
    [...input] as Shape4D,
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  const { top, bottom, left, right } = info.padInfo;
  return {
    outShape: info.outShape,
    attributes: {
      kernel_shape: [info.filterHeight, info.filterWidth],
      strides: [info.strideHeight, info.strideWidth],
      pads: [top, left, bottom, right],
    },
  };
}

/** Neither counts the padding: TensorFlow.js averages what lies in the image, and so does ONNX. */
function poolingRule(kernel: string, operation: string): KernelRule {
  return {
    kernel,
    inputs: ["x"],
    infer: ([x], attributes) => ({
      shape: geometry(x!.shape, attributes).outShape,
      dtype: "float32",
    }),
    lower({ inputs: [x], attributes, outputs: [out] }, l) {
      const { attributes: pool } = geometry(l.shape(x!), attributes);
      l.put(out!, l.emit(operation, [l.get(x!, "channelsFirst")], pool), "channelsFirst");
    },
  };
}

/** Rules of this family. */
export const poolingRules: readonly KernelRule[] = [
  poolingRule("MaxPool", "MaxPool"),
  poolingRule("AvgPool", "AveragePool"),
];
