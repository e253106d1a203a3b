/**
 * Counts what a program must do at least: multiplications and additions of convolutions and matrix
 * products, and reading and writing memory.
 *
 * @module
 */
import type { Op, Program } from "../engine/program.ts";

const size = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);

/** Floating-point operations of convolutions and matrix products, two per multiply-add. */
export function countFlops({ ops, values }: Program): number {
  return ops.reduce((sum, op) => sum + flops(op, (id) => values[id]!.shape), 0);
}

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

/**
 * Bytes that a program must move at least, if all element-wise work were merged into its neighbours:
 * its inputs and outputs, and what convolutions and matrix products read and write.
 */
export function countBytes({ ops, values, inputs, outputs }: Program): number {
  const bytes = (ids: readonly number[]) =>
    4 * ids.reduce((sum, id) => sum + size(values[id]!.shape), 0);
  const heavy = ops.filter((op) => flops(op, (id) => values[id]!.shape) > 0);
  const inside = heavy.reduce((sum, op) => sum + bytes(op.inputs) + bytes(op.outputs), 0);
  const outside = new Set(heavy.flatMap((op) => op.inputs)); // counted where they are read
  return inside + bytes(inputs.filter((id) => !outside.has(id))) +
    bytes(outputs.filter((id) => !heavy.some((op) => op.outputs.includes(id))));
}
