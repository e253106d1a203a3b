/** Kernels that TensorFlow.js fuses where nothing is differentiated: taken apart again. @module */
import * as tf from "@tensorflow/tfjs";
import type { Attributes } from "../program.ts";
import type { NamedInputs, Rule } from "../rule.ts";

const ACTIVATIONS: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> = {
  linear: (x) => x,
  relu: tf.relu,
  relu6: tf.relu6,
  elu: tf.elu,
  sigmoid: tf.sigmoid,
};

/** Adds the bias and applies the activation. */
function finish(
  x: tf.Tensor,
  { bias, preluActivationWeights }: NamedInputs,
  { activation = "linear", leakyreluAlpha }: Attributes,
): tf.Tensor {
  const biased = bias ? tf.add(x, bias) : x;
  if (activation === "prelu") return tf.prelu(biased, preluActivationWeights!);
  if (activation === "leakyrelu") return tf.leakyRelu(biased, leakyreluAlpha);
  return ACTIVATIONS[activation]!(biased);
}

function fused(kernel: string, of: string): Rule {
  return {
    kernel,
    compose(inputs, attributes) {
      const { x, filter } = inputs;
      const made = tf.engine().runKernel(of, { x: x!, filter: filter! }, attributes) as tf.Tensor;
      return finish(made, inputs, attributes);
    },
  };
}

/** Rules of this family. */
export const fusedRules: readonly Rule[] = [
  fused("FusedConv2D", "Conv2D"),
  fused("FusedDepthwiseConv2D", "DepthwiseConv2dNative"),
  {
    kernel: "_FusedMatMul",
    compose(inputs, attributes) {
      const { a, b } = inputs;
      const { transposeA, transposeB } = attributes;
      return finish(tf.matMul(a!, b!, transposeA, transposeB), inputs, attributes);
    },
  },
];
