import * as tf from "@tensorflow/tfjs";
import type { Attributes } from "../program.ts";

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

/** Whether the kernel meets every pixel, and those beside each other. */
export function isDense({ strides, dilations }: Geometry): boolean {
  return [...strides, ...dilations].every((n) => n === 1);
}
