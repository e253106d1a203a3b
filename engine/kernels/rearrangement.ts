/** Kernels that turn, pad and cut space into blocks. @module */
import * as tf from "@tensorflow/tfjs";
import type { Attributes } from "../program.ts";
import { axisOf, type KernelRule, mismatch, type Rule, sameShape } from "../rule.ts";
import { physicalAxis } from "./shape.ts";
import { cast } from "./typed.ts";
import { sliceAxis } from "./windows.ts";

/** A strided slice of all axes, every mask resolved; `shape` is that of the result. */
export function stridedSliceOf(shape: readonly number[], attributes: Attributes): {
  readonly begin: readonly number[];
  readonly end: readonly number[];
  readonly strides: readonly number[];
  /** Size before axes are added and dropped. */
  readonly size: readonly number[];
  readonly shape: number[];
} {
  const { begin, end, strides, beginMask, endMask } = attributes;
  const { ellipsisMask, newAxisMask, shrinkAxisMask } = attributes;
  const info = tf.slice_util.sliceInfo(
    [...shape],
    begin,
    end,
    strides,
    beginMask,
    endMask,
    ellipsisMask,
    newAxisMask,
    shrinkAxisMask,
  );
  return {
    ...info,
    size: tf.slice_util.computeOutShape(info.begin, info.end, info.strides),
    shape: info.finalShape,
  };
}

const stridedSlice: KernelRule = {
  kernel: "StridedSlice",
  inputs: ["x"],
  infer: ([x], attributes) => ({
    shape: stridedSliceOf(x!.shape, attributes).shape,
    dtype: x!.dtype,
  }),
  lower({ inputs: [x], attributes, outputs: [out] }, l) {
    const from = l.shape(x!);
    const { begin, end, strides, size, shape } = stridedSliceOf(from, attributes);
    const whole = sameShape(size, shape);
    const layout = whole ? l.layoutOf([x!]) : "channelsLast";
    const part = l.slice(
      l.get(x!, layout),
      begin,
      // ONNX counts -1 from the end; here it means before the beginning.
      end.map((at, i) => at < 0 ? -from[i]! - 1 : at),
      from.map((_, axis) => physicalAxis(layout, axis)),
      strides,
    );
    l.put(out!, whole ? part : l.reshape(part, shape), layout);
  },
};

const reverse: KernelRule = {
  kernel: "Reverse",
  inputs: ["x"],
  infer: ([x]) => x!,
  lower({ inputs: [x], attributes: { dims }, outputs: [out] }, l) {
    const shape = l.shape(x!);
    const axes = shape.length ? tf.util.parseAxisParam(dims, [...shape]) : [];
    const layout = l.layoutOf([x!]);
    const name = l.get(x!, layout);
    if (axes.length === 0) return l.put(out!, name, layout);
    const turned = l.slice(
      name,
      axes.map(() => -1),
      axes.map((axis) => -shape[axis]! - 1),
      axes.map((axis) => physicalAxis(layout, axis)),
      axes.map(() => -1),
    );
    l.put(out!, turned, layout);
  },
};

/** Blocks of pixels to channels or back; the block's rows and columns count before the channels. */
function blockRule(
  kernel: "DepthToSpace" | "SpaceToDepth",
  shapeOf: (shape: readonly number[], block: number) => number[],
): KernelRule {
  return {
    kernel,
    inputs: ["x"],
    infer([x], { blockSize, dataFormat = "NHWC" }) {
      if (dataFormat !== "NHWC") throw mismatch("data with channels last", dataFormat);
      return { shape: shapeOf(x!.shape, blockSize), dtype: x!.dtype };
    },
    lower({ inputs: [x], attributes: { blockSize }, outputs: [out] }, l) {
      const { dtype } = l.value(x!);
      const operand = cast(l, l.get(x!, "channelsFirst"), dtype, "float32");
      // ONNX's SpaceToDepth knows no mode: it has this order.
      const mode = kernel === "DepthToSpace" ? { mode: "DCR" } : {};
      const moved = l.emit(kernel, [operand], { blocksize: blockSize, ...mode });
      l.put(out!, cast(l, moved, "float32", dtype), "channelsFirst");
    },
  };
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** Rules of this family. */
export const rearrangementRules: readonly Rule[] = [
  stridedSlice,
  reverse,
  blockRule(
    "DepthToSpace",
    ([n, h, w, c], block) => [n!, h! * block, w! * block, c! / block ** 2],
  ),
  // The project's own, the derivative of DepthToSpace.
  blockRule(
    "SpaceToDepth",
    ([n, h, w, c], block) => [n!, h! / block, w! / block, c! * block ** 2],
  ),
  {
    kernel: "FlipLeftRight",
    compose: ({ image }) => tf.reverse(image!, 2),
  },
  {
    kernel: "MirrorPad",
    compose({ x }, { paddings, mode }) {
      const skipped = mode === "reflect" ? 1 : 0; // whether the border itself is not repeated
      return (paddings as [number, number][]).reduce<tf.Tensor>((y, [before, after], axis) => {
        const size = y.shape[axis]!;
        const mirrored = (begin: number, length: number) =>
          tf.reverse(sliceAxis(y, axis, begin, length), axis);
        const parts = [
          ...before ? [mirrored(skipped, before)] : [],
          y,
          ...after ? [mirrored(size - after - skipped, after)] : [],
        ];
        return parts.length === 1 ? y : tf.concat(parts, axis);
      }, x!);
    },
  },
  {
    kernel: "SpaceToBatchND",
    compose({ x }, { blockShape, paddings }) {
      const blocks = blockShape as number[];
      const axes = blocks.length;
      const pads = x!.shape.map((_, i) => paddings[i - 1] ?? [0, 0]) as [number, number][];
      const padded = tf.pad(x!, pads);
      const [n, ...sizes] = padded.shape as [number, ...number[]];
      const cells = blocks.flatMap((block, i) => [sizes[i]! / block, block]);
      const split = tf.reshape(padded, [n, ...cells, ...sizes.slice(axes)]);
      const moved = tf.transpose(split, [
        ...blocks.map((_, i) => 2 * i + 2),
        0,
        ...blocks.map((_, i) => 2 * i + 1),
        ...range(2 * axes + 1, split.rank),
      ]);
      return tf.reshape(moved, [
        n * blocks.reduce((a, b) => a * b, 1),
        ...blocks.map((block, i) => sizes[i]! / block),
        ...sizes.slice(axes),
      ]);
    },
  },
  {
    kernel: "BatchToSpaceND",
    compose({ x }, { blockShape, crops }) {
      const blocks = blockShape as number[];
      const axes = blocks.length;
      const [n, ...sizes] = x!.shape as [number, ...number[]];
      const batch = n / blocks.reduce((a, b) => a * b, 1);
      const split = tf.reshape(x!, [...blocks, batch, ...sizes]);
      const moved = tf.transpose(split, [
        axes,
        ...blocks.flatMap((_, i) => [axes + 1 + i, i]),
        ...range(2 * axes + 1, split.rank),
      ]);
      const whole = tf.reshape(moved, [
        batch,
        ...blocks.map((block, i) => sizes[i]! * block),
        ...sizes.slice(axes),
      ]);
      return (crops as [number, number][]).reduce<tf.Tensor>(
        (y, [before, after], i) =>
          sliceAxis(y, axisOf(i + 1, y.rank), before, y.shape[i + 1]! - before - after),
        whole,
      );
    },
  },
];
