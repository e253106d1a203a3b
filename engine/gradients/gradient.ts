/** What the registered derivatives share. @module */
import * as tf from "@tensorflow/tfjs";
import type { Attributes } from "../program.ts";
import type { ComposedRule } from "../rule.ts";

/** A derivative as TensorFlow.js registers it. */
export type Gradient = Parameters<typeof tf.registerGradient>[0];

/** Runs a kernel by its name. */
export function runKernel(
  kernel: string,
  inputs: Readonly<Record<string, tf.Tensor>>,
  attributes: Attributes = {},
): tf.Tensor {
  return tf.engine().runKernel(kernel, { ...inputs }, { ...attributes }) as tf.Tensor;
}

/** The derivative of a kernel with one input `x` and one output. */
export function linearIn(
  input: string,
  kernelName: string,
  dx: (dy: tf.Tensor, attributes: Attributes, x: tf.Tensor) => tf.Tensor,
): Gradient {
  return {
    kernelName,
    inputsToSave: [input],
    gradFunc: (dy, [x], attributes) => ({
      [input]: () => dx(dy as tf.Tensor, attributes as Attributes, x!),
    }),
  };
}

/** The derivative of a kernel whose results do not change with its inputs, but for jumps. */
export function zeroGradient(kernelName: string, inputs: readonly string[]): Gradient {
  return {
    kernelName,
    inputsToSave: [...inputs],
    gradFunc: (_, saved) =>
      Object.fromEntries(inputs.map((name, i) => [name, () => tf.zeros(saved[i]!.shape)])),
  };
}

/** The derivative of a kernel from the functions that it is composed of: of any order. */
export function gradientOf({ kernel, compose }: ComposedRule, inputs: readonly string[]): Gradient {
  return {
    kernelName: kernel,
    inputsToSave: [...inputs],
    gradFunc: (dy, saved, attributes) => {
      const named = Object.fromEntries(inputs.map((name, i) => [name, saved[i]!]));
      const value = () => compose(named, attributes as Attributes) as tf.Tensor;
      return Object.fromEntries(
        inputs.map((name, i) => [name, () => innerGradient(value, saved[i]!, dy as tf.Tensor)]),
      );
    },
  };
}

/** A derivative inside of a derivative; zero where the value does not depend on x. */
function innerGradient(value: () => tf.Tensor, x: tf.Tensor, dy: tf.Tensor): tf.Tensor {
  const engine = tf.engine();
  // TensorFlow.js throws away its tape after the outermost derivative, and takes this for one.
  engine.state.gradientDepth++;
  try {
    return engine.gradients(value, [x], dy, true).grads[0] ?? tf.zeros(x.shape);
  } finally {
    engine.state.gradientDepth--;
  }
}

/** Sums over the axes that broadcasting made longer. */
export function unbroadcast(x: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const added = x.rank - shape.length;
  const axes = x.shape.flatMap((size, i) => {
    const before = i < added ? 1 : shape[i - added]!;
    return before === 1 && (size > 1 || i < added) ? [i] : [];
  });
  return tf.reshape(axes.length ? tf.sum(x, axes) : x, [...shape]);
}
