/** Running sums and products. @module */
import * as tf from "@tensorflow/tfjs";
import { axisOf, type KernelRule, type Rule } from "../rule.ts";
import { physicalAxis } from "./shape.ts";
import { cast } from "./typed.ts";
import { sliceAxis } from "./windows.ts";

const cumsum: KernelRule = {
  kernel: "Cumsum",
  inputs: ["x"],
  infer: ([x]) => ({ shape: x!.shape, dtype: x!.dtype === "bool" ? "int32" : x!.dtype }),
  lower({ inputs: [x], attributes, outputs: [out] }, l) {
    const { axis, exclusive, reverse } = attributes;
    const layout = l.layoutOf([x!]);
    const at = physicalAxis(layout, axisOf(axis, l.shape(x!).length));
    const operand = cast(l, l.get(x!, layout), l.value(x!).dtype, l.value(out!).dtype);
    const sum = l.emit("CumSum", [operand, l.constant(Int32Array.of(at), [], "int32")], {
      exclusive: Number(exclusive ?? 0),
      reverse: Number(reverse ?? 0),
    });
    l.put(out!, sum, layout);
  },
};

/** Moves numbers towards higher indices; ones enter at the front. */
function shifted(x: tf.Tensor, axis: number, by: number): tf.Tensor {
  const size = x.shape[axis]!;
  const entering = tf.ones(x.shape.with(axis, Math.min(by, size)), x.dtype as "float32");
  if (by >= size) return entering;
  return tf.concat([entering, sliceAxis(x, axis, 0, size - by)], axis);
}

/** Rules of this family. */
export const scanRules: readonly Rule[] = [
  cumsum,
  {
    kernel: "Cumprod",
    // Each step doubles how many factors a number holds. Exact at zeros, derivatives too.
    compose({ x }, { axis, exclusive, reverse }) {
      const at = axisOf(axis, x!.rank);
      const start = x!.dtype === "bool" ? tf.cast(x!, "int32") : x!;
      let product = reverse ? tf.reverse(start, at) : start;
      if (exclusive) product = shifted(product, at, 1);
      for (let by = 1; by < x!.shape[at]!; by *= 2) {
        product = tf.mul(product, shifted(product, at, by));
      }
      return reverse ? tf.reverse(product, at) : product;
    },
  },
];
