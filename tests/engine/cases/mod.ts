/** Cases of every kernel, by family. */
import type { KernelCase } from "./case.ts";
import { convolution3dCases, convolutionCases } from "./convolution.ts";
import { elementwiseCases } from "./elementwise.ts";
import { fusedCases } from "./fused.ts";
import { domainCases, imageCases } from "./image.ts";
import { generationCases, indexingCases } from "./indexing.ts";
import { activationCases, mathsCases } from "./maths.ts";
import { einsumCases, matmulCases } from "./matmul.ts";
import { morphologyCases, normalizationCases, poolingCases } from "./pooling.ts";
import { rearrangementCases } from "./rearrangement.ts";
import { reductionCases, scanCases } from "./reduction.ts";
import { shapeCases } from "./shape.ts";

/** Cases by kernel. */
export const kernelCases: Readonly<Record<string, readonly KernelCase[]>> = {
  ...elementwiseCases,
  ...mathsCases,
  ...activationCases,
  ...reductionCases,
  ...scanCases,
  ...shapeCases,
  ...rearrangementCases,
  ...indexingCases,
  ...generationCases,
  ...matmulCases,
  ...einsumCases,
  ...convolutionCases,
  ...convolution3dCases,
  ...poolingCases,
  ...morphologyCases,
  ...normalizationCases,
  ...imageCases,
  ...fusedCases,
  ...domainCases,
};
