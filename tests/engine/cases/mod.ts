/** Cases of every kernel, by family. */
import type { KernelCase } from "./case.ts";
import { activationCases, elementwiseCases, mathsCases } from "./elementwise.ts";
import {
  convolution3dCases,
  convolutionCases,
  domainCases,
  einsumCases,
  fusedCases,
  imageCases,
  matmulCases,
  morphologyCases,
  normalizationCases,
  poolingCases,
} from "./image.ts";
import {
  generationCases,
  indexingCases,
  rearrangementCases,
  reductionCases,
  scanCases,
  shapeCases,
} from "./shape.ts";

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
