/** Kernels that reduce axes. @module */
import * as tf from "@tensorflow/tfjs";
import { channelsFirst, type Layout, type Lowering } from "../lowering.ts";
import type { Attributes, DType } from "../program.ts";
import type { KernelRule } from "../rule.ts";
import { cast } from "./typed.ts";

const ORDER = channelsFirst([0, 1, 2, 3]);

/** The axes, counted from the front; all of them if none are given. */
export function axesOf({ axis, reductionIndices }: Attributes, shape: readonly number[]): number[] {
  return tf.util.parseAxisParam(axis ?? reductionIndices, [...shape]);
}

function reducedShape(shape: readonly number[], axes: readonly number[], keepDims: boolean) {
  return keepDims
    ? shape.map((size, i) => axes.includes(i) ? 1 : size)
    : shape.filter((_, i) => !axes.includes(i));
}

/** The layout to reduce in: without kept axes, what is left must stand in the order of NHWC. */
function layoutFor(l: Lowering, id: number, axes: readonly number[], keepDims: boolean): Layout {
  if (l.layoutOf([id]) === "channelsLast" || keepDims) return l.layoutOf([id]);
  const kept = ORDER.filter((axis) => !axes.includes(axis));
  const sorted = kept.every((axis, i) => i === 0 || kept[i - 1]! < axis);
  return sorted ? "channelsFirst" : "channelsLast";
}

const physicalAxes = (layout: Layout, axes: readonly number[]) =>
  layout === "channelsFirst" ? axes.map((axis) => ORDER.indexOf(axis)) : axes;

interface Options {
  /** Type of the result for a type of the operand. */
  readonly gives?: (dtype: DType) => DType;
  /** Type that the node takes for a type of the operand. */
  readonly takes?: (dtype: DType) => DType;
}

const noBool = (dtype: DType) => dtype === "bool" ? "int32" : dtype;

function reduction(
  kernel: string,
  node: string,
  { gives = (dtype) => dtype, takes = noBool }: Options = {},
): KernelRule {
  return {
    kernel,
    inputs: ["x"],
    infer: ([x], attributes) => ({
      shape: reducedShape(x!.shape, axesOf(attributes, x!.shape), attributes["keepDims"]),
      dtype: gives(x!.dtype),
    }),
    lower({ inputs: [x], attributes, outputs: [out] }, l) {
      const { shape, dtype } = l.value(x!);
      const { keepDims } = attributes;
      const axes = axesOf(attributes, shape);
      const layout = layoutFor(l, x!, axes, keepDims);
      const operand = cast(l, l.get(x!, layout), dtype, takes(dtype));
      const reduced = axes.length === 0 && shape.length > 0
        ? operand // a node without axes would reduce all of them
        : write(l, operand, physicalAxes(layout, axes), keepDims ? 1 : 0);
      const name = cast(l, reduced, takes(dtype), l.value(out!).dtype);
      l.put(out!, name, keepDims || axes.length === 0 ? layout : "channelsLast");
    },
  };

  function write(l: Lowering, x: string, axes: readonly number[], keepdims: number): string {
    return node === "ReduceSum"
      ? l.emit(node, [x, l.integers(axes)], { keepdims })
      : l.emit(node, [x], { axes, keepdims });
  }
}

/** The index of the largest or smallest number, the first one if there are several. */
function argument(kernel: string, node: string): KernelRule {
  const axis = (attributes: Attributes, shape: readonly number[]) =>
    axesOf(attributes, shape).slice(0, 1);
  return {
    kernel,
    inputs: ["x"],
    infer: ([x], attributes) => ({
      shape: reducedShape(x!.shape, axis(attributes, x!.shape), false),
      dtype: "int32",
    }),
    lower({ inputs: [x], attributes, outputs: [out] }, l) {
      const { shape, dtype } = l.value(x!);
      const [at] = axis(attributes, shape);
      const layout = layoutFor(l, x!, [at!], false);
      const operand = cast(l, l.get(x!, layout), dtype, noBool(dtype));
      const index = l.emit(node, [operand], {
        axis: physicalAxes(layout, [at!])[0]!,
        keepdims: 0,
      });
      l.put(out!, cast(l, index, "int64", "int32"));
    },
  };
}

const float = () => "float32" as const;

/** Rules of this family. */
export const reductionRules: readonly KernelRule[] = [
  reduction("Sum", "ReduceSum", { gives: noBool }),
  reduction("Prod", "ReduceProd", { gives: noBool }),
  reduction("Mean", "ReduceMean", { gives: float, takes: float }),
  reduction("Max", "ReduceMax"),
  reduction("Min", "ReduceMin"),
  reduction("All", "ReduceMin"),
  reduction("Any", "ReduceMax"),
  argument("ArgMax", "ArgMax"),
  argument("ArgMin", "ArgMin"),
];
