/** Kernels that reduce axes. @module */
import * as tf from "@tensorflow/tfjs";
import { channelsFirst } from "../lowering.ts";
import type { KernelRule } from "../rule.ts";

const axesOf = (axis: number | number[], shape: readonly number[]) =>
  tf.util.parseAxisParam(axis, [...shape]);

function reduction(kernel: "Sum" | "Mean", node: "ReduceSum" | "ReduceMean"): KernelRule {
  return {
    kernel,
    inputs: ["x"],
    infer([x], { axis, keepDims }) {
      const axes = axesOf(axis, x!.shape);
      const shape = keepDims
        ? x!.shape.map((size, i) => axes.includes(i) ? 1 : size)
        : x!.shape.filter((_, i) => !axes.includes(i));
      return { shape, dtype: x!.dtype };
    },
    lower({ inputs: [x], attributes: { axis, keepDims }, outputs: [out] }, l) {
      const shape = l.shape(x!);
      const axes = axesOf(axis, shape);
      let layout = shape.length === 4 ? l.layoutOf([x!]) : "channelsLast";
      // Without kept axes the rest must stand in the order of NHWC.
      const kept = channelsFirst([0, 1, 2, 3]).filter((i) => !axes.includes(i));
      const sorted = kept.every((i, at) => at === 0 || kept[at - 1]! < i);
      if (layout === "channelsFirst" && !keepDims && !sorted) layout = "channelsLast";
      const physical = layout === "channelsFirst"
        ? axes.map((i) => channelsFirst([0, 1, 2, 3]).indexOf(i))
        : axes;
      const keepdims = keepDims ? 1 : 0;
      const name = node === "ReduceSum"
        ? l.emit(node, [l.get(x!, layout), l.integers(physical)], { keepdims })
        : l.emit(node, [l.get(x!, layout)], { axes: physical, keepdims });
      l.put(out!, name, keepDims ? layout : "channelsLast");
    },
  };
}

/** Rules of this family. */
export const reductionRules: readonly KernelRule[] = [
  reduction("Sum", "ReduceSum"),
  reduction("Mean", "ReduceMean"),
];
