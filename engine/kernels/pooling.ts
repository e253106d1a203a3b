/** Pooling of images and volumes, and its adjoints. @module */
import * as tf from "@tensorflow/tfjs";
import type { Lowering } from "../lowering.ts";
import type { Attributes } from "../program.ts";
import { type KernelRule, mismatch, sizeOf } from "../rule.ts";
import { cast } from "./typed.ts";
import { type Windows, windowsOf } from "./windows.ts";

/** The windows of a pooling of `[N,H,W,C]` or `[N,D,H,W,C]`. */
export function poolWindows(input: readonly number[], attributes: Attributes): Windows {
  const { filterSize, strides, pad, dimRoundingMode } = attributes;
  if (input.length === 4) {
    const info = tf.backend_util.computePool2DInfo(
      [...input] as [number, number, number, number],
      filterSize,
      strides,
      1,
      pad,
      dimRoundingMode,
    );
    return windowsOf({
      input: input.slice(1, 3),
      output: [info.outHeight, info.outWidth],
      kernel: [info.filterHeight, info.filterWidth],
      strides: [info.strideHeight, info.strideWidth],
      dilations: [1, 1],
      before: [info.padInfo.top, info.padInfo.left],
    });
  }
  const info = tf.backend_util.computePool3DInfo(
    [...input] as [number, number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
    attributes["dataFormat"],
  );
  return windowsOf({
    input: input.slice(1, 4),
    output: [info.outDepth, info.outHeight, info.outWidth],
    kernel: [info.filterDepth, info.filterHeight, info.filterWidth],
    strides: [info.strideDepth, info.strideHeight, info.strideWidth],
    dilations: [1, 1, 1],
    before: [info.padInfo.front, info.padInfo.top, info.padInfo.left],
  });
}

function refuseChannelsFirst({ dataFormat }: Attributes): void {
  if (dataFormat === "NCHW" || dataFormat === "NCDHW") {
    throw mismatch("data with channels last", dataFormat);
  }
}

const nodeAttributes = ({ kernel, strides, before, after }: Windows) => ({
  kernel_shape: kernel,
  strides,
  pads: [...before, ...after],
});

/** A value with channels first, whatever its rank. */
export function getFirst(l: Lowering, id: number): string {
  return l.shape(id).length === 4
    ? l.get(id, "channelsFirst")
    : l.transpose(l.get(id), [0, 4, 1, 2, 3]);
}

/** Defines a value that has its channels first. */
export function putFirst(l: Lowering, id: number, name: string): void {
  if (l.shape(id).length === 4) l.put(id, name, "channelsFirst");
  else l.put(id, l.transpose(name, [0, 2, 3, 4, 1]));
}

/** How much at the end of each axis no window covers. */
export function leftOver(
  { input, output, kernel, strides, dilations, before, after }: Windows,
): number[] {
  return input.map((size, i) => {
    const reached = (output[i]! - 1) * strides[i]! + (kernel[i]! - 1) * dilations[i]! + 1;
    return size + before[i]! + after[i]! - reached;
  });
}

const outputShape = (shape: readonly number[], { output }: Windows) => [
  shape[0]!,
  ...output,
  shape.at(-1)!,
];

/** Neither counts the padding: TensorFlow.js averages what lies in the image, and so does ONNX. */
function pool(kernel: string, node: string): KernelRule {
  return {
    kernel,
    inputs: ["x"],
    infer([x], attributes) {
      refuseChannelsFirst(attributes);
      return { ...x!, shape: outputShape(x!.shape, poolWindows(x!.shape, attributes)) };
    },
    lower({ inputs: [x], attributes, outputs: [out] }, l) {
      const { shape, dtype } = l.value(x!);
      const operand = cast(l, getFirst(l, x!), dtype, "float32");
      const pooled = l.emit(node, [operand], nodeAttributes(poolWindows(shape, attributes)));
      putFirst(l, out!, cast(l, pooled, "float32", dtype));
    },
  };
}

/** The largest numbers of x `[N,C,...]` and where they are in it, counted from its beginning. */
function maxWithIndices(l: Lowering, x: string, windows: Windows): [string, string] {
  return l.emitMany("MaxPool", [x], nodeAttributes(windows), 2) as [string, string];
}

/**
 * `dx` of a maximum: each dy goes to the place of its maximum.
 *
 * Of several equal numbers the first counts in an image and the last in a volume, as in
 * TensorFlow.js; for the last, what the windows cover is turned around and back.
 */
function maxPoolGradient(kernel: string): KernelRule {
  const turn = (l: Lowering, x: string) =>
    l.slice(x, [-1, -1, -1], [-1e9, -1e9, -1e9], [2, 3, 4], [-1, -1, -1]);
  return {
    kernel,
    inputs: ["dy", "input"],
    infer: (types) => ({ shape: types[1]!.shape, dtype: "float32" }),
    lower({ inputs: [dy, x], attributes, outputs: [out] }, l) {
      const shape = l.shape(x!);
      const windows = poolWindows(shape, attributes);
      if (shape.length === 4) {
        return putFirst(l, out!, place(l, getFirst(l, dy!), getFirst(l, x!), shape, windows));
      }
      const { input, before, after } = windows;
      const left = leftOver(windows);
      const covered = input.map((size, i) => size - left[i]!);
      const part = l.slice(getFirst(l, x!), [0, 0, 0], covered, [2, 3, 4]);
      const dx = place(
        l,
        turn(l, getFirst(l, dy!)),
        turn(l, part),
        [shape[0]!, ...covered, shape[4]!],
        { ...windows, input: covered, before: after, after: before },
      );
      putFirst(l, out!, l.pad(turn(l, dx), [0, 0, 0, 0, 0], [0, 0, ...left]));
    },
  };

  function place(
    l: Lowering,
    dy: string,
    x: string,
    shape: readonly number[],
    windows: Windows,
  ): string {
    const [, indices] = maxWithIndices(l, x, windows);
    const zeros = l.emit("Expand", [l.scalar(0), l.integers([sizeOf(shape)])]);
    const flat = [zeros, l.reshape(indices, [-1]), l.reshape(dy, [-1])];
    const sum = l.emit("ScatterElements", flat, { axis: 0, reduction: "add" });
    return l.reshape(sum, [shape[0]!, shape.at(-1)!, ...windows.input]);
  }
}

/** `dx` of an average as TensorFlow.js has it: dy spread over the window, whatever lies outside. */
function averagePoolGradient(kernel: string): KernelRule {
  return {
    kernel,
    inputs: ["dy", "input"],
    infer: (types) => ({ shape: types[1]!.shape, dtype: "float32" }),
    lower({ inputs: [dy, x], attributes, outputs: [out] }, l) {
      const shape = l.shape(x!);
      const windows = poolWindows(shape, attributes);
      const { kernel: size } = windows;
      const channels = shape.at(-1)!;
      const weight = new Float32Array(channels * sizeOf(size)).fill(1 / sizeOf(size));
      const dx = l.emit(
        "ConvTranspose",
        [getFirst(l, dy!), l.float(weight, [channels, 1, ...size])],
        { ...nodeAttributes(windows), group: channels, output_padding: leftOver(windows) },
      );
      putFirst(l, out!, dx);
    },
  };
}

const maxPoolWithArgmax: KernelRule = {
  kernel: "MaxPoolWithArgmax",
  inputs: ["x"],
  infer([x], attributes) {
    const shape = outputShape(x!.shape, poolWindows(x!.shape, attributes));
    return [{ shape, dtype: x!.dtype }, { shape, dtype: "int32" }];
  },
  lower({ inputs: [x], attributes, outputs: [maximum, index] }, l) {
    const { shape: [, height, width, channels], dtype } = l.value(x!);
    const operand = cast(l, l.get(x!, "channelsFirst"), dtype, "float32");
    const windows = poolWindows(l.shape(x!), attributes);
    const [value, indices] = maxWithIndices(l, operand, windows);
    l.put(maximum!, cast(l, value, "float32", dtype), "channelsFirst");
    // From the order of NCHW to that of NHWC, in int32 as TensorFlow.js counts.
    const first = cast(l, indices, "int64", "int32");
    const int = (number: number) => l.constant(Int32Array.of(number), [], "int32");
    const plane = int(height! * width!);
    const channel = l.emit("Mod", [l.emit("Div", [first, plane]), int(channels!)]);
    const inImage = l.emit("Add", [
      l.emit("Mul", [l.emit("Mod", [first, plane]), int(channels!)]),
      channel,
    ]);
    const size = int(height! * width! * channels!);
    const image = l.emit("Mul", [l.emit("Div", [first, size]), size]);
    const name = attributes["includeBatchInIndex"] ? l.emit("Add", [image, inImage]) : inImage;
    l.put(index!, name, "channelsFirst");
  },
};

/** Rules of this family. */
export const poolingRules: readonly KernelRule[] = [
  pool("MaxPool", "MaxPool"),
  pool("AvgPool", "AveragePool"),
  pool("MaxPool3D", "MaxPool"),
  pool("AvgPool3D", "AveragePool"),
  maxPoolGradient("MaxPoolGrad"),
  maxPoolGradient("MaxPool3DGrad"),
  averagePoolGradient("AvgPoolGrad"),
  averagePoolGradient("AvgPool3DGrad"),
  maxPoolWithArgmax,
];
