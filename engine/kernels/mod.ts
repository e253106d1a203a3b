/**
 * The kernels that can be traced, by family.
 *
 * @module
 */
import type { KernelRule } from "../rule.ts";
import { convolutionRules } from "./convolution.ts";
import { domainRules } from "./domain.ts";
import { elementwiseRules } from "./elementwise.ts";
import { matmulRules } from "./matmul.ts";
import { poolingRules } from "./pooling.ts";
import { reductionRules } from "./reduction.ts";
import { shapeRules } from "./shape.ts";

/** Every rule, built in. */
export const kernelRules: readonly KernelRule[] = [
  ...elementwiseRules,
  ...reductionRules,
  ...shapeRules,
  ...matmulRules,
  ...convolutionRules,
  ...poolingRules,
  ...domainRules,
];
