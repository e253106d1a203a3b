/** Sums of products in Einstein's notation. @module */
import * as tf from "@tensorflow/tfjs";
import type { KernelRule } from "../rule.ts";

/** Rules of this family. */
export const einsumRules: readonly KernelRule[] = [{
  kernel: "Einsum",
  inputs: "...",
  infer(types, { equation }) {
    const { allDims, idDims } = tf.backend_util.decodeEinsumEquation(equation, types.length);
    const shapes = types.map(({ shape }) => ({ shape: [...shape] }) as tf.Tensor);
    tf.backend_util.checkEinsumDimSizes(allDims.length, idDims, shapes);
    const sizes = new Map<string, number>();
    const [left, right] = equation.replaceAll(" ", "").split("->") as [string, string];
    left.split(",").forEach((term, i) =>
      [...term].forEach((axis, at) => sizes.set(axis, types[i]!.shape[at]!))
    );
    return { shape: [...right].map((axis) => sizes.get(axis)!), dtype: types[0]!.dtype };
  },
  lower({ inputs, attributes: { equation }, outputs: [out] }, l) {
    l.put(out!, l.emit("Einsum", inputs.map((id) => l.get(id)), { equation }));
  },
}];
