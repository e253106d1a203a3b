/** Activation functions. @module */
import * as tf from "@tensorflow/tfjs";
import type { Lowering } from "../lowering.ts";
import type { DType } from "../program.ts";
import { axisOf, type KernelRule, mismatch, type Rule } from "../rule.ts";
import { NUMBERS, unary } from "./elementwise.ts";
import { physicalAxis } from "./shape.ts";
import { typedScalar } from "./typed.ts";

const clip = (l: Lowering, x: string, minimum: number, maximum: number, dtype: DType) =>
  l.emit("Clip", [x, typedScalar(l, minimum, dtype), typedScalar(l, maximum, dtype)]);

const SELU = {
  alpha: { float: 1.6732632423543772848 },
  gamma: { float: 1.0507009873554804934 },
} as const;

/** Softmax in the layout that the logits have. */
const softmaxRule: KernelRule = {
  kernel: "Softmax",
  inputs: ["logits"],
  infer([x], { dim }) {
    const last = x!.shape.length - 1;
    if (axisOf(dim, x!.shape.length) === last) return { shape: x!.shape, dtype: "float32" };
    throw mismatch(`the last axis, ${last},`, String(dim));
  },
  lower({ inputs: [x], outputs: [out] }, l) {
    const layout = l.layoutOf([x!]);
    const axis = physicalAxis(layout, l.shape(x!).length - 1);
    l.put(out!, l.emit("Softmax", [l.get(x!, layout)], { axis }), layout);
  },
};

/** Rules of this family. */
export const activationRules: readonly Rule[] = [
  unary("Relu", "Relu", NUMBERS),
  unary("Relu6", (l, [x], _, dtype) => clip(l, x!, 0, 6, dtype), NUMBERS),
  unary(
    "ClipByValue",
    (l, [x], { clipValueMin, clipValueMax }, dtype) =>
      clip(l, x!, clipValueMin, clipValueMax, dtype),
    NUMBERS,
  ),
  unary("Elu", "Elu"),
  {
    kernel: "EluGrad",
    compose: ({ dy, y }) => tf.where(tf.greaterEqual(y!, 0), dy!, tf.mul(dy!, tf.add(y!, 1))),
  },
  unary("Selu", (l, x) => l.emit("Selu", x, SELU)),
  {
    kernel: "Prelu",
    compose: ({ x, alpha }) => tf.where(tf.less(x!, 0), tf.mul(x!, alpha!), x!),
  },
  softmaxRule,
];
