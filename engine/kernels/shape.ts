/** Kernels that move numbers without changing them. @module */
import * as tf from "@tensorflow/tfjs";
import { channelsFirst, type Layout } from "../lowering.ts";
import type { Attributes } from "../program.ts";
import {
  axisOf,
  type KernelRule,
  list,
  mismatch,
  sameShape,
  sizeOf,
  type TensorType,
} from "../rule.ts";
import { typedScalar } from "./typed.ts";

const ORDER = channelsFirst([0, 1, 2, 3]);
/** Where an axis lies in a layout. */
export function physicalAxis(layout: Layout, axis: number): number {
  return layout === "channelsFirst" ? ORDER.indexOf(axis) : axis;
}
const physical = <T>(layout: Layout, list: readonly T[]) =>
  layout === "channelsFirst" ? channelsFirst(list) : [...list];
const withoutOnes = (shape: readonly number[]) => shape.filter((size) => size !== 1).join();

const reshapeRule = (
  kernel: string,
  input: string,
  shapeOf: (shape: readonly number[], attributes: Attributes) => number[],
): KernelRule => ({
  kernel,
  inputs: [input],
  infer: ([x], attributes) => ({ shape: shapeOf(x!.shape, attributes), dtype: x!.dtype }),
  lower({ inputs: [x], outputs: [out] }, l) {
    const from = l.shape(x!);
    const to = l.shape(out!);
    // Adding or removing axes of size 1 between batch and channels keeps NCHW valid.
    const stays = from.length === 4 && to.length === 4 && l.has(x!, "channelsFirst") &&
      withoutOnes(from) === withoutOnes(to) && from[3] === to[3] && from[0] === to[0];
    if (stays) {
      l.put(out!, l.reshape(l.get(x!, "channelsFirst"), channelsFirst(to)), "channelsFirst");
    } else l.put(out!, l.reshape(l.get(x!), to));
  },
});

/** Begin and size of a slice, complete. */
function sliceOf(shape: readonly number[], begin: number[], size: number[]) {
  // parseSliceParams reads only the shape of the tensor it is given.
  const like = { shape: [...shape] } as tf.TensorInfo;
  return tf.slice_util.parseSliceParams(like, begin, size) as [number[], number[]];
}

/** Refuses shapes that differ, but for one axis. */
function refuseUnequal(types: readonly TensorType[], axis = -1): void {
  const [first, ...others] = types.map(({ shape }) => shape.map((n, i) => i === axis ? 1 : n));
  const odd = others.findIndex((shape) => !sameShape(shape, first!));
  if (odd < 0) return;
  throw mismatch(
    axis < 0 ? "equal shapes" : `equal shapes but for axis ${axis}`,
    list([types[0]!.shape, types[odd + 1]!.shape]),
  );
}

/** Rules of this family. */
export const shapeRules: readonly KernelRule[] = [
  reshapeRule("Reshape", "x", (from, { shape }) => {
    if (!shape.includes(-1) && sizeOf(shape) !== sizeOf(from)) {
      throw mismatch("shapes of equal size", list([from, shape]));
    }
    return tf.util.inferFromImplicitShape(shape, sizeOf(from));
  }),
  reshapeRule("ExpandDims", "input", (from, { dim }) => {
    const shape = [...from];
    shape.splice(dim < 0 ? dim + from.length + 1 : dim, 0, 1);
    return shape;
  }),
  {
    kernel: "Fill",
    inputs: [],
    infer: (_, { shape, value, dtype }) => ({
      shape,
      dtype: dtype ?? (typeof value === "boolean" ? "bool" : "float32"),
    }),
    lower({ attributes: { value, shape }, outputs: [out] }, l) {
      const scalar = typedScalar(l, value, l.value(out!).dtype);
      l.put(out!, l.emit("Expand", [scalar, l.integers(shape)]));
    },
  },
  {
    kernel: "BroadcastTo",
    inputs: ["x"],
    infer: ([x], { shape }) => ({ shape, dtype: x!.dtype }),
    lower({ inputs: [x], attributes: { shape }, outputs: [out] }, l) {
      const layout = shape.length === 4 ? l.layoutOf([x!]) : "channelsLast";
      const operand = l.operand(x!, layout, shape.length);
      l.put(out!, l.emit("Expand", [operand, l.integers(physical(layout, shape))]), layout);
    },
  },
  {
    kernel: "Tile",
    inputs: ["x"],
    infer: ([x], { reps }) => ({
      shape: x!.shape.map((size, i) => size * reps[i]),
      dtype: x!.dtype,
    }),
    lower({ inputs: [x], attributes: { reps }, outputs: [out] }, l) {
      const layout = l.layoutOf([x!]);
      const repeats = l.integers(physical<number>(layout, reps));
      l.put(out!, l.emit("Tile", [l.get(x!, layout), repeats]), layout);
    },
  },
  {
    kernel: "Transpose",
    inputs: ["x"],
    infer: ([x], { perm }) => ({
      shape: perm.map((i: number) => x!.shape[i]),
      dtype: x!.dtype,
    }),
    lower({ inputs: [x], attributes: { perm }, outputs: [out] }, l) {
      const layout = l.layoutOf([x!]);
      const moves = (perm as number[]).map((axis) => physicalAxis(layout, axis));
      const name = l.get(x!, layout);
      l.put(out!, moves.every((axis, i) => axis === i) ? name : l.transpose(name, moves));
    },
  },
  {
    kernel: "Slice",
    inputs: ["x"],
    infer([x], { begin, size }) {
      const [starts, sizes] = sliceOf(x!.shape, begin, size);
      if (x!.shape.every((length, i) => starts[i]! + sizes[i]! <= length)) {
        return { shape: sizes, dtype: x!.dtype };
      }
      throw mismatch(`a part of [${x!.shape}]`, `begin [${starts}] and size [${sizes}]`);
    },
    lower({ inputs: [x], attributes: { begin, size }, outputs: [out] }, l) {
      const shape = l.shape(x!);
      const [starts, sizes] = sliceOf(shape, begin, size);
      const layout = l.layoutOf([x!]);
      const axes = shape.map((_, i) => i).filter((i) => sizes[i] !== shape[i]);
      const name = l.slice(
        l.get(x!, layout),
        axes.map((i) => starts[i]!),
        axes.map((i) => starts[i]! + sizes[i]!),
        axes.map((i) => physicalAxis(layout, i)),
      );
      l.put(out!, name, layout);
    },
  },
  {
    kernel: "Concat",
    inputs: "...",
    infer(types, { axis }) {
      const shape = [...types[0]!.shape];
      const at = axisOf(axis, shape.length);
      refuseUnequal(types, at);
      shape[at] = types.reduce((sum, type) => sum + type.shape[at]!, 0);
      return { shape, dtype: types[0]!.dtype };
    },
    lower({ inputs, attributes: { axis }, outputs: [out] }, l) {
      const layout = l.layoutOf(inputs);
      const at = physicalAxis(layout, axisOf(axis, l.shape(out!).length));
      l.put(out!, l.emit("Concat", inputs.map((id) => l.get(id, layout)), { axis: at }), layout);
    },
  },
  {
    kernel: "SplitV",
    inputs: ["x"],
    infer([x], { numOrSizeSplits, axis }) {
      const at = axisOf(axis, x!.shape.length);
      const like = { shape: [...x!.shape] } as tf.Tensor;
      return tf.backend_util.prepareSplitSize(like, numOrSizeSplits, at)
        .map((size) => ({ shape: x!.shape.with(at, size), dtype: x!.dtype }));
    },
    lower({ inputs: [x], attributes: { axis }, outputs }, l) {
      const layout = l.layoutOf([x!]);
      const at = axisOf(axis, l.shape(x!).length);
      const sizes = outputs.map((id) => l.shape(id)[at]!);
      const names = l.split(l.get(x!, layout), sizes, physicalAxis(layout, at));
      outputs.forEach((id, i) => l.put(id, names[i]!, layout));
    },
  },
  {
    kernel: "Pack",
    inputs: "...",
    infer(types, { axis }) {
      const { shape, dtype } = types[0]!;
      refuseUnequal(types);
      return { shape: shape.toSpliced(axisOf(axis, shape.length + 1), 0, types.length), dtype };
    },
    lower({ inputs, attributes: { axis }, outputs: [out] }, l) {
      const at = axisOf(axis, l.shape(out!).length);
      const one = l.shape(inputs[0]!).toSpliced(at, 0, 1);
      const pieces = inputs.map((id) => l.reshape(l.get(id), one));
      l.put(out!, l.emit("Concat", pieces, { axis: at }));
    },
  },
  {
    kernel: "Unpack",
    inputs: ["value"],
    infer([x], { axis }) {
      const at = axisOf(axis, x!.shape.length);
      const one = { shape: x!.shape.toSpliced(at, 1), dtype: x!.dtype };
      return Array.from({ length: x!.shape[at]! }, () => one);
    },
    lower({ inputs: [x], attributes: { axis }, outputs }, l) {
      const at = axisOf(axis, l.shape(x!).length);
      const names = l.split(l.get(x!), outputs.map(() => 1), at);
      outputs.forEach((id, i) => l.put(id, l.reshape(names[i]!, l.shape(id))));
    },
  },
  {
    kernel: "PadV2",
    inputs: ["x"],
    infer: ([x], { paddings }) => ({
      shape: x!.shape.map((size, i) => size + paddings[i][0] + paddings[i][1]),
      dtype: x!.dtype,
    }),
    lower({ inputs: [x], attributes: { paddings, constantValue }, outputs: [out] }, l) {
      const layout = l.layoutOf([x!]);
      const sides = physical<[number, number]>(layout, paddings);
      const amounts = l.integers([...sides.map(([a]) => a), ...sides.map(([, b]) => b)]);
      const inputs = [l.get(x!, layout), amounts];
      if (constantValue) inputs.push(typedScalar(l, constantValue, l.value(x!).dtype));
      l.put(out!, l.emit("Pad", inputs), layout);
    },
  },
];
