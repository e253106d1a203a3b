/** Convolutions and their adjoints, NCHW inside. @module */
import type { Lowering } from "../lowering.ts";
import type { Attributes } from "../program.ts";
import { type KernelRule, mismatch, type TensorType } from "../rule.ts";
import {
  denseFilterGradient,
  depthwiseFilterGradient,
  stridedFilterGradient,
} from "./filter_gradient.ts";
import { type Geometry, geometry, isDense } from "./geometry.ts";
import { convolution, depthwiseInputGradient } from "./webgpu_convolution.ts";

type Shape4D = [number, number, number, number];

function refuseChannelsFirst({ dataFormat }: Attributes): void {
  if (dataFormat === "NCHW") throw mismatch("data with channels last", dataFormat);
}

function convAttributes({ strides, dilations, before, after }: Geometry, group = 1) {
  return { strides, dilations, pads: [...before, ...after], group };
}

/**
 * The kernel turned by 180 degrees, from HWIO to the layout of Conv with its channels exchanged: turned
 * before, while its taps are whole blocks of numbers.
 */
function turned(l: Lowering, filter: number, g: Geometry): string {
  const given = l.get(filter);
  const taps = g.kernel.every((n) => n === 1)
    ? given
    : l.slice(given, [-1, -1], [-100, -100], [0, 1], [-1, -1]);
  return l.permute(taps, l.shape(filter), [2, 3, 0, 1]);
}

/** `dx` of a convolution: a convolution with the turned kernel, or a transposed one if strided. */
function inputGradient(
  l: Lowering,
  dy: string,
  filter: number,
  g: Geometry,
  inputShape: readonly number[],
  depthwise: boolean,
): string {
  const group = depthwise ? inputShape[3]! : 1;
  const before = g.before.map((n, i) => g.kernel[i]! - 1 - n);
  const after = g.after.map((n, i) => g.kernel[i]! - 1 - n);
  if (isDense(g) && g.multiplier === 1 && [...before, ...after].every((n) => n >= 0)) {
    const weight = turned(l, filter, g);
    const attributes = { pads: [...before, ...after], group };
    return depthwise
      ? l.emit("Conv", [dy, weight], attributes)
      : convolution(l, dy, weight, g.outShape[3]!, attributes);
  }
  if (depthwise && l.target === "webgpu") {
    const [n, h, w, channels] = g.outShape as Shape4D;
    return depthwiseInputGradient(l, dy, turned(l, filter, g), g, {
      dyShape: [n, channels, h, w],
      size: [inputShape[1]!, inputShape[2]!],
      group,
    });
  }
  const weight = depthwise ? depthwiseWeight(l, filter, g, inputShape[3]!) : denseWeight(l, filter);
  const output_padding = [0, 1].map((i) => {
    const reached = (g.outShape[i + 1]! - 1) * g.strides[i]! +
      (g.kernel[i]! - 1) * g.dilations[i]! + 1 - g.before[i]! - g.after[i]!;
    return inputShape[i + 1]! - reached;
  });
  return l.emit("ConvTranspose", [dy, weight], { ...convAttributes(g, group), output_padding });
}

/** An HWIO filter as OIHW. */
function denseWeight(l: Lowering, filter: number): string {
  return l.permute(l.get(filter), l.shape(filter), [3, 2, 0, 1]);
}

function depthwiseWeight(l: Lowering, filter: number, g: Geometry, channels: number): string {
  const moved = l.permute(l.get(filter), l.shape(filter), [2, 3, 0, 1]); // [C,multiplier,kh,kw]
  if (g.multiplier === 1) return moved;
  return l.reshape(moved, [channels * g.multiplier, 1, ...g.kernel]);
}

const filterShapeOf = ([, filter]: readonly TensorType[]) => filter!.shape;

/** A forward convolution. */
function forward(kernel: string, depthwise: boolean): KernelRule {
  return {
    kernel,
    inputs: ["x", "filter"],
    infer(types, attributes) {
      refuseChannelsFirst(attributes);
      const g = geometry(types[0]!.shape, filterShapeOf(types), attributes, depthwise);
      return { shape: g.outShape, dtype: "float32" };
    },
    lower({ inputs: [x, filter], attributes, outputs: [out] }, l) {
      const shape = l.shape(x!);
      const g = geometry(shape, l.shape(filter!), attributes, depthwise);
      const weight = depthwise
        ? depthwiseWeight(l, filter!, g, shape[3]!)
        : denseWeight(l, filter!);
      const group = depthwise ? shape[3]! : 1;
      const form = convAttributes(g, group);
      const first = l.get(x!, "channelsFirst");
      const name = depthwise
        ? l.emit("Conv", [first, weight], form)
        : convolution(l, first, weight, shape[3]!, form);
      l.put(out!, name, "channelsFirst");
    },
  };
}

/** The gradient with respect to the input; also TensorFlow.js's transposed convolution. */
function backpropInput(kernel: string, depthwise: boolean): KernelRule {
  return {
    kernel,
    inputs: ["dy", "filter"],
    infer(_, attributes) {
      refuseChannelsFirst(attributes);
      return { shape: attributes["inputShape"], dtype: "float32" };
    },
    lower({ inputs: [dy, filter], attributes, outputs: [out] }, l) {
      const { inputShape } = attributes;
      const g = geometry(inputShape, l.shape(filter!), attributes, depthwise);
      const first = l.get(dy!, "channelsFirst");
      const name = inputGradient(l, first, filter!, g, inputShape, depthwise);
      l.put(out!, name, "channelsFirst");
    },
  };
}

/** The gradient with respect to the filter. */
function backpropFilter(kernel: string, depthwise: boolean): KernelRule {
  return {
    kernel,
    inputs: ["x", "dy"],
    infer(_, attributes) {
      refuseChannelsFirst(attributes);
      return { shape: attributes["filterShape"], dtype: "float32" };
    },
    lower({ inputs: [x, dy], attributes, outputs: [out] }, l) {
      const shape = l.shape(x!);
      const g = geometry(shape, attributes["filterShape"], attributes, depthwise);
      const write = depthwise
        ? depthwiseFilterGradient
        : isDense(g)
        ? denseFilterGradient
        : stridedFilterGradient;
      l.put(out!, write(l, l.get(x!, "channelsFirst"), l.get(dy!, "channelsFirst"), g, shape));
    },
  };
}

/** Rules of this family. */
export const convolutionRules: readonly KernelRule[] = [
  forward("Conv2D", false),
  backpropInput("Conv2DBackpropInput", false),
  backpropFilter("Conv2DBackpropFilter", false),
  forward("DepthwiseConv2dNative", true),
  backpropInput("DepthwiseConv2dNativeBackpropInput", true),
  backpropFilter("DepthwiseConv2dNativeBackpropFilter", true),
];
