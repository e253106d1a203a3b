/** Derivatives of matrix products and sums of products. @module */
import * as tf from "@tensorflow/tfjs";
import { type Gradient, unbroadcast } from "./gradient.ts";

/** TensorFlow.js's own does not sum over the batch axes that were broadcast. */
const matMulGradient: Gradient = {
  kernelName: "BatchMatMul",
  inputsToSave: ["a", "b"],
  gradFunc: (gradient, saved, attributes) => {
    const [a, b] = saved as [tf.Tensor, tf.Tensor];
    const dy = gradient as tf.Tensor;
    const { transposeA, transposeB } = attributes as { transposeA?: boolean; transposeB?: boolean };
    return {
      a: () => {
        const da = transposeA
          ? tf.matMul(b, dy, transposeB, true)
          : tf.matMul(dy, b, false, !transposeB);
        return unbroadcast(da, a.shape);
      },
      b: () => {
        const db = transposeB
          ? tf.matMul(dy, a, true, transposeA)
          : tf.matMul(a, dy, !transposeA, false);
        return unbroadcast(db, b.shape);
      },
    };
  },
};

/** TensorFlow.js's einsum gives a lone operand back as it is, and then doubles its gradient. */
function sumOfProducts(
  terms: readonly string[],
  result: string,
  operands: readonly tf.Tensor[],
): tf.Tensor {
  if (terms.length === 1 && terms[0] === result) return operands[0]!;
  return tf.einsum(`${terms.join(",")}->${result}`, ...operands);
}

/** The sum of products with dy in the place of the operand; lone axes of the operand are repeated. */
const einsumGradient: Gradient = {
  kernelName: "Einsum",
  saveAllInputs: true,
  gradFunc: (gradient, saved, attributes) => {
    const { equation } = attributes as unknown as { readonly equation: string };
    const [left, right] = equation.replaceAll(" ", "").split("->") as [string, string];
    const terms = left.split(",");
    const dy = gradient as tf.Tensor;
    return Object.fromEntries(terms.map((term, i) => [i, () => {
      const others = terms.filter((_, k) => k !== i);
      const known = new Set([right, ...others].join(""));
      const shared = [...term].filter((axis) => known.has(axis)).join("");
      const operands = saved.filter((_, k) => k !== i);
      const part = right
        ? sumOfProducts([right, ...others], shared, [dy, ...operands])
        : others.length
        ? tf.mul(dy, sumOfProducts(others, shared, operands))
        : dy;
      const sizes = saved[i]!.shape;
      const kept = [...term].map((axis, at) => known.has(axis) ? sizes[at]! : 1);
      return tf.broadcastTo(tf.reshape(part, kept), sizes);
    }]));
  },
};

/** Derivatives of this family. */
export const contractionGradients: readonly Gradient[] = [matMulGradient, einsumGradient];
