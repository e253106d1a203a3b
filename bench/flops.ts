/**
 * Counts what a program must do at least: multiplications and additions of convolutions and matrix
 * products, and reading and writing memory.
 *
 * @module
 */
import type { Op, Program } from "../engine/program.ts";

const size = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);

/** Two per multiply-add of convolutions and matrix products; 0 for everything else. */
function flops(
  { kernel, inputs, attributes, outputs }: Op,
  shape: (id: number) => readonly number[],
): number {
  const [a, b] = inputs.map(shape);
  const out = shape(outputs[0]!);
  switch (kernel) {
    case "Conv2D": // every output pixel meets the whole filter
      return 2 * size(out) * size(b!.slice(0, 3));
    case "Conv2DBackpropInput": // a [N,h,w,Cout], b [kh,kw,Cin,Cout]
      return 2 * size(a!.slice(0, 3)) * size(b!);
    case "Conv2DBackpropFilter": // b [N,h,w,Cout]
      return 2 * size(b!.slice(0, 3)) * size(attributes["filterShape"]);
    case "DepthwiseConv2dNative":
      return 2 * size(out) * size(b!.slice(0, 2));
    case "DepthwiseConv2dNativeBackpropInput":
      return 2 * size(a!) * size(b!.slice(0, 2));
    case "DepthwiseConv2dNativeBackpropFilter":
      return 2 * size(b!) * size(attributes["filterShape"].slice(0, 2));
    case "BatchMatMul":
      return 2 * size(out) * (attributes["transposeA"] ? a!.at(-2)! : a!.at(-1)!);
    default:
      return 0;
  }
}

/** What an operation must do at least. */
export interface OperationCost {
  readonly flops: number;
  /** Bytes that it reads and writes. */
  readonly bytes: number;
}

/** Kernels without multiplications worth counting whose results bring several numbers together. */
const TRANSFORMS = new Set(["Haar", "InverseHaar", "Resample"]);

/**
 * What the convolutions, matrix products, Haar transforms and resamplings of a program must do, each
 * by itself: read its operands once and write its results once. Element-wise work, sums and
 * rearrangements between them cost nothing, as if they were merged into these.
 */
export function countOperations({ ops, values }: Program): OperationCost[] {
  const shape = (id: number) => values[id]!.shape;
  return ops.flatMap((op) => {
    const cost = flops(op, shape);
    if (cost === 0 && !TRANSFORMS.has(op.kernel)) return [];
    const numbers = [...op.inputs, ...op.outputs].reduce((sum, id) => sum + size(shape(id)), 0);
    return [{ flops: cost, bytes: 4 * numbers }];
  });
}

/**
 * Bytes that a program must move if it were one kernel that keeps all between its convolutions and
 * products to itself: its inputs and outputs, and what convolutions and products read and write.
 */
export function countOuterBytes({ ops, values, inputs, outputs }: Program): number {
  const bytes = (ids: readonly number[]) =>
    4 * ids.reduce((sum, id) => sum + size(values[id]!.shape), 0);
  const heavy = ops.filter((op) => flops(op, (id) => values[id]!.shape) > 0);
  const inside = heavy.reduce((sum, op) => sum + bytes(op.inputs) + bytes(op.outputs), 0);
  const outside = new Set(heavy.flatMap((op) => op.inputs)); // counted where they are read
  return inside + bytes(inputs.filter((id) => !outside.has(id))) +
    bytes(outputs.filter((id) => !heavy.some((op) => op.outputs.includes(id))));
}
