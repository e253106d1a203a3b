/**
 * Derivatives that TensorFlow.js lacks and second-order terms meet (R1, path length).
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

const run = (kernel: string, inputs: Record<string, tf.Tensor>, attributes: object) =>
  // The backprop kernels of TensorFlow.js carry no dilations: their convolutions have none.
  tf.engine().runKernel(kernel, inputs, { dilations: 1, ...attributes }) as tf.Tensor;

type Config = Parameters<typeof tf.registerGradient>[0];

/* A convolution is linear in the input and in the filter, so the three kernels "forward",
 * "gradient of the input" and "gradient of the filter" are each other's derivatives. */
const convolutionGradients = (family: string): Config[] => [
  {
    kernelName: `${family}BackpropInput`,
    inputsToSave: ["dy", "filter"],
    gradFunc: (ddx, saved, attributes) => {
      const [dy, filter] = saved as [tf.Tensor, tf.Tensor];
      const x = ddx as tf.Tensor;
      return {
        dy: () => run(family, { x, filter }, attributes),
        filter: () =>
          run(`${family}BackpropFilter`, { x, dy }, { ...attributes, filterShape: filter.shape }),
      };
    },
  },
  {
    kernelName: `${family}BackpropFilter`,
    inputsToSave: ["x", "dy"],
    gradFunc: (ddw, saved, attributes) => {
      const [x, dy] = saved as [tf.Tensor, tf.Tensor];
      const filter = ddw as tf.Tensor;
      return {
        x: () =>
          run(`${family}BackpropInput`, { dy, filter }, { ...attributes, inputShape: x.shape }),
        dy: () => run(family, { x, filter }, attributes),
      };
    },
  },
];

/** Space to depth, the inverse, in moves that TensorFlow.js can differentiate any number of times. */
const depthToSpaceGradient: Config = {
  kernelName: "DepthToSpace",
  gradFunc: (dy, _, attributes) => {
    const { blockSize: block } = attributes as unknown as { readonly blockSize: number };
    const [n, height, width, c] = (dy as tf.Tensor4D).shape;
    const [h, w] = [height / block, width / block];
    const cells = tf.reshape(dy as tf.Tensor, [n, h, block, w, block, c]);
    const x = () =>
      tf.reshape(tf.transpose(cells, [0, 1, 3, 2, 4, 5]), [n, h, w, block * block * c]);
    return { x };
  },
};

let registered = false;

/** Registers them, once. */
export function registerMissingGradients(): void {
  if (registered) return;
  registered = true;
  const configs = [
    ...convolutionGradients("Conv2D"),
    ...convolutionGradients("DepthwiseConv2dNative"),
    depthToSpaceGradient,
  ];
  for (const config of configs) tf.registerGradient(config);
}
