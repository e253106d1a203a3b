/**
 * The kernels that can be traced, by family.
 *
 * @module
 */
import { isComposed, type KernelRule, type Rule } from "../rule.ts";
import { activationRules } from "./activation.ts";
import { convolutionRules } from "./convolution.ts";
import { domainRules } from "./domain.ts";
import { elementwiseRules } from "./elementwise.ts";
import { mathsRules } from "./maths.ts";
import { matmulRules } from "./matmul.ts";
import { poolingRules } from "./pooling.ts";
import { reductionRules } from "./reduction.ts";
import { shapeRules } from "./shape.ts";

export { unsupportedKernels } from "./unsupported.ts";

/** Every rule, built in, by family. */
export const ruleFamilies: Readonly<Record<string, readonly Rule[]>> = {
  elementwise: elementwiseRules,
  maths: mathsRules,
  activation: activationRules,
  reduction: reductionRules,
  shape: shapeRules,
  matmul: matmulRules,
  convolution: convolutionRules,
  pooling: poolingRules,
  domain: domainRules,
};

/** Every rule, built in. */
export const builtInRules: readonly Rule[] = Object.values(ruleFamilies).flat();

/** The rules that become ONNX nodes, built in. */
export const kernelRules: readonly KernelRule[] = builtInRules
  .flatMap((rule) => isComposed(rule) ? [] : [rule]);
