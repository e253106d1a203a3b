/** Numbers from nothing but attributes: constants of the graph. @module */
import * as tf from "@tensorflow/tfjs";
import type { Rule } from "../rule.ts";

/** Each number is the one before plus the step, rounded, as in TensorFlow.js. */
function steps(start: number, step: number, count: number, dtype: "float32" | "int32") {
  const values = dtype === "int32" ? new Int32Array(count) : new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = i === 0 ? start : values[i - 1]! + step;
  return values;
}

/** Rules of this family. */
export const generationRules: readonly Rule[] = [
  {
    kernel: "Range",
    compose(_, { start, stop, step, dtype = "float32" }) {
      const by = stop < start && step === 1 ? -1 : step;
      if (start === stop || Math.sign(by) !== Math.sign(stop - start)) return tf.zeros([0], dtype);
      return tf.tensor1d(steps(start, by, Math.ceil((stop - start) / by), dtype), dtype);
    },
  },
  {
    kernel: "LinSpace",
    compose: (_, { start, stop, num }) =>
      tf.tensor1d(steps(start, (stop - start) / (num - 1), num, "float32")),
  },
];
