/** Matrix products. @module */
import { broadcastShape, type KernelRule, list, mismatch } from "../rule.ts";

const swapped = (rank: number) => [...Array(rank - 2).keys(), rank - 1, rank - 2];

/** Rules of this family. */
export const matmulRules: readonly KernelRule[] = [{
  kernel: "BatchMatMul",
  inputs: ["a", "b"],
  infer([a, b], { transposeA, transposeB }) {
    const [m, k] = transposeA ? a!.shape.slice(-2).reverse() : a!.shape.slice(-2);
    const [inner, n] = transposeB ? b!.shape.slice(-2).reverse() : b!.shape.slice(-2);
    if (k !== inner) {
      throw mismatch("equal inner sizes", list([a!.shape, b!.shape]));
    }
    const batch = broadcastShape(a!.shape.slice(0, -2), b!.shape.slice(0, -2));
    return { shape: [...batch, m!, n!], dtype: a!.dtype };
  },
  lower({ inputs, attributes: { transposeA, transposeB }, outputs: [out] }, l) {
    const operand = (id: number, transpose: boolean) =>
      transpose ? l.transpose(l.get(id), swapped(l.shape(id).length)) : l.get(id);
    l.put(
      out!,
      l.emit("MatMul", [operand(inputs[0]!, transposeA), operand(inputs[1]!, transposeB)]),
    );
  },
}];
