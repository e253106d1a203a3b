/**
 * The kernels that can be traced, by family.
 *
 * @module
 */
import { isComposed, type KernelRule, type Rule } from "../rule.ts";
import { activationRules } from "./activation.ts";
import { convolutionRules } from "./convolution.ts";
import { convolution3dRules } from "./convolution3d.ts";
import { domainRules } from "./domain.ts";
import { einsumRules } from "./einsum.ts";
import { elementwiseRules } from "./elementwise.ts";
import { fusedRules } from "./fused.ts";
import { generationRules } from "./generation.ts";
import { imageRules } from "./image.ts";
import { indexingRules } from "./indexing.ts";
import { mathsRules } from "./maths.ts";
import { matmulRules } from "./matmul.ts";
import { morphologyRules } from "./morphology.ts";
import { normalizationRules } from "./normalization.ts";
import { poolingRules } from "./pooling.ts";
import { rearrangementRules } from "./rearrangement.ts";
import { reductionRules } from "./reduction.ts";
import { scanRules } from "./scan.ts";
import { shapeRules } from "./shape.ts";

export { unsupportedKernels } from "./unsupported.ts";

/** Every rule, built in, by family. */
export const ruleFamilies: Readonly<Record<string, readonly Rule[]>> = {
  elementwise: elementwiseRules,
  maths: mathsRules,
  activation: activationRules,
  reduction: reductionRules,
  scan: scanRules,
  shape: shapeRules,
  rearrangement: rearrangementRules,
  indexing: indexingRules,
  generation: generationRules,
  matmul: matmulRules,
  einsum: einsumRules,
  convolution: convolutionRules,
  convolution3d: convolution3dRules,
  pooling: poolingRules,
  morphology: morphologyRules,
  normalization: normalizationRules,
  image: imageRules,
  fused: fusedRules,
  domain: domainRules,
};

/** Every rule, built in. */
export const builtInRules: readonly Rule[] = Object.values(ruleFamilies).flat();

/** The rules that become ONNX nodes by kernel: those built in, and others before them. */
export function nodeRules(others: readonly Rule[] = []): ReadonlyMap<string, KernelRule> {
  return new Map(
    [...builtInRules, ...others].flatMap((rule) =>
      isComposed(rule) ? [] : [[rule.kernel, rule] as const]
    ),
  );
}
