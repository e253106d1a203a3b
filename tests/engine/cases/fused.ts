import * as tf from "@tensorflow/tfjs";
import { type KernelCase, use } from "./case.ts";

type Activation = "linear" | "relu" | "relu6" | "elu" | "sigmoid" | "prelu" | "leakyrelu";

/* They are fused only where nothing is differentiated. */
const fusedConvolution = (convolve: typeof tf.fused.conv2d) =>
  (["linear", "relu", "relu6", "elu", "sigmoid", "prelu", "leakyrelu"] as Activation[]).map(
    (activation) =>
      use(
        activation,
        (x: tf.Tensor4D, filter: tf.Tensor4D, bias: tf.Tensor1D, slopes: tf.Tensor1D) =>
          convolve({
            x,
            filter,
            strides: 1,
            pad: "same",
            activation,
            bias,
            leakyreluAlpha: 0.3,
            ...(activation === "prelu" && { preluActivationWeights: slopes }),
          }),
        [[1, 4, 5, 3], [3, 3, 3, convolve === tf.fused.conv2d ? 3 : 1], [3], [3]],
        { order: 0 },
      ),
  );

/** Cases of the family. */
export const fusedCases: Readonly<Record<string, readonly KernelCase[]>> = {
  FusedConv2D: [
    ...fusedConvolution(tf.fused.conv2d),
    use(
      "no bias, stride 2",
      (x: tf.Tensor4D, filter: tf.Tensor4D) =>
        tf.fused.conv2d({ x, filter, strides: 2, pad: "valid", activation: "relu" }),
      [[1, 5, 5, 2], [3, 3, 2, 3]],
      { order: 0 },
    ),
  ],
  FusedDepthwiseConv2D: fusedConvolution(tf.fused.depthwiseConv2d as typeof tf.fused.conv2d),
  _FusedMatMul: [
    use(
      "bias, relu",
      (a: tf.Tensor2D, b: tf.Tensor2D, bias: tf.Tensor1D) =>
        tf.fused.matMul({ a, b, bias, activation: "relu" }),
      [[2, 3], [3, 4], [4]],
      { order: 0 },
    ),
    use(
      "turned, sigmoid",
      (a: tf.Tensor2D, b: tf.Tensor2D) =>
        tf.fused.matMul({ a, b, transposeA: true, transposeB: true, activation: "sigmoid" }),
      [[3, 2], [4, 3]],
      { order: 0 },
    ),
  ],
};
