/**
 * Convolutions and their adjoints, NCHW inside. What trains is never a constant, so ONNX Runtime
 * cannot pre-pack it: gradients are written as few large matrix products (figures in
 * `docs/performance.md`).
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Lowering } from "../lowering.ts";
import type { Attributes } from "../program.ts";
import { type KernelRule, mismatch, type TensorType } from "../rule.ts";
import { convolution, depthwiseInputGradient } from "./webgpu_convolution.ts";

type Shape4D = [number, number, number, number];

/** The geometry of a convolution: sizes, strides and padding before and after. */
export function geometry(
  input: readonly number[],
  filter: readonly number[],
  { strides, pad, dilations = 1, dimRoundingMode }: Attributes,
  depthwise: boolean,
) {
  const info = tf.backend_util.computeConv2DInfo(
    [...input] as Shape4D,
    [...filter] as Shape4D,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    depthwise,
  );
  const steps = [info.strideHeight, info.strideWidth] as const;
  const holes = [info.dilationHeight, info.dilationWidth] as const;
  const before = [info.padInfo.top, info.padInfo.left] as const;
  // What the last window reaches over; rounding up makes it more than was asked for.
  const after = (axis: 0 | 1) => {
    const last = (info.outShape[axis + 1]! - 1) * steps[axis] - before[axis];
    return Math.max(0, last + (filter[axis]! - 1) * holes[axis] + 1 - input[axis + 1]!);
  };
  return {
    outShape: info.outShape,
    strides: steps,
    dilations: holes,
    kernel: [filter[0]!, filter[1]!] as const,
    before,
    after: [after(0), after(1)] as const,
    multiplier: depthwise ? filter[3]! : 1,
  };
}
export type Geometry = ReturnType<typeof geometry>;

const isDense = ({ strides, dilations }: Geometry) =>
  strides.every((n) => n === 1) && dilations.every((n) => n === 1);

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

/**
 * `dW [kh,kw,ci,co]` of a convolution with stride 1, all taps as one batched matrix product:
 * with rows padded to a common width, a vertical tap shifts x by whole rows and a horizontal tap
 * shifts dy by columns, so `concat(row shifts of x) . concat(column shifts of dy)^T` holds them all.
 */
function denseFilterGradient(
  l: Lowering,
  x: string,
  dy: string,
  g: Geometry,
  [n, height, width, ci]: readonly number[],
): string {
  const [, h, w, co] = g.outShape as Shape4D;
  const [kh, kw] = g.kernel;
  const wide = width! + g.before[1] + g.after[1];
  const tall = height! + g.before[0] + g.after[0];
  const padded = l.pad(x, [0, 0, ...g.before], [0, 0, ...g.after]);
  const flat = l.reshape(padded, [n!, ci!, tall * wide]);
  const rows = Array.from(
    { length: kh },
    (_, a) => kh === 1 ? flat : l.slice(flat, [a * wide], [(a + h) * wide], [2]),
  );
  const columns = Array.from(
    { length: kw },
    (_, b) => l.reshape(l.pad(dy, [0, 0, 0, b], [0, 0, 0, wide - w - b]), [n!, co, h * wide]),
  );
  const left = kh === 1 ? rows[0]! : l.emit("Concat", rows, { axis: 1 });
  const right = kw === 1 ? columns[0]! : l.emit("Concat", columns, { axis: 1 });
  const product = l.sum(l.emit("MatMul", [left, l.transpose(right, [0, 2, 1])]), [0]);
  return l.transpose(l.reshape(product, [kh, ci!, kw, co]), [0, 2, 1, 3]);
}

/** `dW` of a strided or dilated convolution: im2col by strided slices, then one matrix product. */
function stridedFilterGradient(
  l: Lowering,
  x: string,
  dy: string,
  g: Geometry,
  [n, , , ci]: readonly number[],
): string {
  const [, h, w, co] = g.outShape as Shape4D;
  const taps = windows(l, x, g).map((window) => l.reshape(window, [n!, ci!, h * w]));
  const columns = taps.length === 1 ? taps[0]! : l.emit("Concat", taps, { axis: 1 });
  const right = l.transpose(l.reshape(dy, [n!, co, h * w]), [0, 2, 1]);
  const product = l.sum(l.emit("MatMul", [columns, right]), [0]); // [taps ci, co]
  return l.reshape(product, [...g.kernel, ci!, co]);
}

/** The part of x `[N,C,H,W]` that each tap of the kernel meets, in reading order of the taps. */
function windows(l: Lowering, x: string, g: Geometry): string[] {
  const [, h, w] = g.outShape;
  const padded = l.pad(x, [0, 0, ...g.before], [0, 0, ...g.after]);
  const [sh, sw] = g.strides;
  return Array.from({ length: g.kernel[0] * g.kernel[1] }, (_, i) => {
    const top = Math.floor(i / g.kernel[1]) * g.dilations[0];
    const left = (i % g.kernel[1]) * g.dilations[1];
    const end = [top + (h! - 1) * sh + 1, left + (w! - 1) * sw + 1];
    const steps = sh * sw === 1 ? undefined : [sh, sw];
    return l.slice(padded, [top, left], end, [2, 3], steps);
  });
}

/** `dW [kh,kw,C,multiplier]` of a depthwise convolution: one multiply and sum per tap. */
function depthwiseFilterGradient(
  l: Lowering,
  x: string,
  dy: string,
  g: Geometry,
  [n, , , channels]: readonly number[],
): string {
  const [, h, w] = g.outShape as Shape4D;
  const many = g.multiplier > 1;
  const grouped = many ? l.reshape(dy, [n!, channels!, g.multiplier, h, w]) : dy;
  const sums = windows(l, x, g).map((window) => {
    const operand = many ? l.reshape(window, [n!, channels!, 1, h, w]) : window;
    const product = l.emit("Mul", [operand, grouped]);
    return l.reshape(l.sum(product, many ? [0, 3, 4] : [0, 2, 3]), [1, channels! * g.multiplier]);
  });
  return l.reshape(l.emit("Concat", sums, { axis: 0 }), [...g.kernel, channels!, g.multiplier]);
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
