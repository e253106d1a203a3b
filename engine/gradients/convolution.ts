/**
 * Derivatives of convolutions. A convolution is linear in the input and in the filter, so the three
 * kernels "forward", "gradient of the input" and "gradient of the filter" are each other's
 * derivatives.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { spread } from "../kernels/windows.ts";
import type { Attributes } from "../program.ts";
import { TRACING_BACKEND } from "../tracing.ts";
import { type Gradient, runKernel } from "./gradient.ts";

interface Family {
  readonly forward: string;
  readonly input: string;
  readonly filter: string;
}

/** The three kernels on filters without holes, which is all that TensorFlow.js's adjoints know. */
function dense({ forward, input, filter }: Family): readonly Gradient[] {
  const run = (kernel: string, inputs: Record<string, tf.Tensor>, attributes: Attributes) =>
    runKernel(kernel, inputs, { dilations: 1, ...attributes });
  return [
    {
      kernelName: input,
      inputsToSave: ["dy", "filter"],
      gradFunc: (ddx, saved, attributes) => {
        const [dy, w] = saved as [tf.Tensor, tf.Tensor];
        const x = ddx as tf.Tensor;
        return {
          dy: () => run(forward, { x, filter: w }, attributes),
          filter: () => run(filter, { x, dy }, { ...attributes, filterShape: w.shape }),
        };
      },
    },
    {
      kernelName: filter,
      inputsToSave: ["x", "dy"],
      gradFunc: (ddw, saved, attributes) => {
        const [x, dy] = saved as [tf.Tensor, tf.Tensor];
        const w = ddw as tf.Tensor;
        return {
          x: () => run(input, { dy, filter: w }, { ...attributes, inputShape: x.shape }),
          dy: () => run(forward, { x, filter: w }, attributes),
        };
      },
    },
  ];
}

/**
 * The derivative of the forward convolution, dilated or not. The tracing backend's adjoints know
 * dilations; elsewhere the filter is written with its holes.
 */
function forwardGradient({ forward, input, filter }: Family): Gradient {
  return {
    kernelName: forward,
    inputsToSave: ["x", "filter"],
    gradFunc: (gradient, saved, attributes) => {
      const [x, w] = saved as [tf.Tensor, tf.Tensor];
      const dy = gradient as tf.Tensor;
      const axes = w.rank - 2;
      const { dilations = 1 } = attributes as Attributes;
      const holes: number[] = typeof dilations === "number"
        ? Array(axes).fill(dilations)
        : dilations;
      const known = tf.getBackend() === TRACING_BACKEND || holes.every((n) => n === 1);
      const shared = known ? attributes : { ...attributes, dilations: holes.map(() => 1) };
      const widen = (filter: tf.Tensor) =>
        known ? filter : holes.reduce<tf.Tensor>((wide, n, i) => spread(wide, i, n), filter);
      return {
        x: () => runKernel(input, { dy, filter: widen(w) }, { ...shared, inputShape: x.shape }),
        filter: () => {
          const filterShape = w.shape.map((n, i) =>
            known || i >= axes ? n : (n - 1) * holes[i]! + 1
          );
          const dw = runKernel(filter, { x, dy }, { ...shared, filterShape });
          if (known) return dw;
          const begin = w.shape.map(() => 0);
          return tf.stridedSlice(dw, begin, dw.shape, [...holes, 1, 1]);
        },
      };
    },
  };
}

const families: readonly Family[] = [
  { forward: "Conv2D", input: "Conv2DBackpropInput", filter: "Conv2DBackpropFilter" },
  {
    forward: "DepthwiseConv2dNative",
    input: "DepthwiseConv2dNativeBackpropInput",
    filter: "DepthwiseConv2dNativeBackpropFilter",
  },
  { forward: "Conv3D", input: "Conv3DBackpropInputV2", filter: "Conv3DBackpropFilterV2" },
];

/** Derivatives of this family. */
export const convolutionGradients: readonly Gradient[] = families.flatMap((family) => [
  forwardGradient(family),
  ...dense(family),
]);
