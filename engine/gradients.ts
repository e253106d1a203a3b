/**
 * Derivatives that TensorFlow.js lacks or gets wrong, on every backend.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { contractionGradients } from "./gradients/contraction.ts";
import { convolutionGradients } from "./gradients/convolution.ts";
import { elementwiseGradients } from "./gradients/elementwise.ts";
import { type Gradient, gradientOf, zeroGradient } from "./gradients/gradient.ts";
import { imageGradients } from "./gradients/image.ts";
import { indexingGradients } from "./gradients/indexing.ts";
import { poolingGradients } from "./gradients/pooling.ts";
import { rearrangementGradients } from "./gradients/rearrangement.ts";
import { builtInRules } from "./kernels/mod.ts";
import { isComposed } from "./rule.ts";

/** Comparisons stand on the way to second derivatives of whatever is selected by them. */
const zeroGradients: readonly Gradient[] = [
  ...["Greater", "Less", "LessEqual", "Equal", "NotEqual", "LogicalAnd", "LogicalOr"]
    .map((kernel) => zeroGradient(kernel, ["a", "b"])),
  ...["LogicalNot", "All", "Any"].map((kernel) => zeroGradient(kernel, ["x"])),
];

/** Kernels that are differentiated by their composition, and the inputs that they do it for. */
const COMPOSED: Readonly<Record<string, readonly string[]>> = {
  Bincount: ["x", "weights"],
  CropAndResize: ["image", "boxes", "boxInd"],
  Cumprod: ["x"],
  DenseBincount: ["x", "weights"],
  Diag: ["x"],
  Dilation2DBackpropFilter: ["x", "filter", "dy"],
  Dilation2DBackpropInput: ["x", "filter", "dy"],
  EluGrad: ["dy", "y"],
  FlipLeftRight: ["image"],
  LRNGrad: ["x", "y", "dy"],
  MirrorPad: ["x"],
  RotateWithOffset: ["image"],
  SparseToDense: ["sparseIndices", "sparseValues", "defaultValue"],
};

function composedGradients(): Gradient[] {
  return builtInRules.flatMap((rule) => {
    const inputs = COMPOSED[rule.kernel];
    return inputs && isComposed(rule) ? [gradientOf(rule, inputs)] : [];
  });
}

let registered = false;

/** Registers them, once. */
export function registerMissingGradients(): void {
  if (registered) return;
  registered = true;
  const gradients = [
    ...zeroGradients,
    ...composedGradients(),
    ...contractionGradients,
    ...convolutionGradients,
    ...elementwiseGradients,
    ...imageGradients,
    ...indexingGradients,
    ...poolingGradients,
    ...rearrangementGradients,
  ];
  for (const gradient of gradients) tf.registerGradient(gradient);
}
