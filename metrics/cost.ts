import type { Metric, PartSource } from "../core/contracts.ts";
import { defineMetric } from "../core/define.ts";
import { type NoOptions, noOptions } from "../layers/no_options.ts";
import type { StudentConfig, TeacherConfig } from "../networks/config.ts";
import { inferenceCost, mappingCost, studentCost, teacherCost } from "../networks/cost.ts";

/** A figure as the MobileStyleGAN paper prints it for 1024 px, and why ours differs. */
export interface PrintedFigure {
  /** Which network it is about. */
  readonly network: "teacher" | "student";
  /** What was counted. */
  readonly quantity: "parameters" | "multiplyAdds";
  /** The figure of the paper. */
  readonly printed: number;
  /** Why ours differs, to follow "which". */
  readonly reason: string;
}

/** Table 1 of MobileStyleGAN, arXiv:2104.04767, version 1: at 1024 px, config-f. */
export const printedFigures: readonly PrintedFigure[] = [
  {
    network: "teacher",
    quantity: "parameters",
    printed: 28.27e6,
    reason: "is the same count: the synthesis network without mapping and noise maps",
  },
  {
    network: "teacher",
    quantity: "multiplyAdds",
    printed: 143.15e9,
    reason: "counts transposed convolutions at their output grid, 4 times their work (141.87 G), " +
      "and the FIR filters (1.1 G)",
  },
  {
    network: "student",
    quantity: "parameters",
    printed: 8.01e6,
    reason: "counts the noise maps that the exported graph holds as constants (0.70 M)",
  },
  {
    network: "student",
    quantity: "multiplyAdds",
    printed: 15.09e9,
    reason: "is the number of floating-point operations: two per multiply-add (14.56 G), and the " +
      "element-wise ones",
  },
];

/** The networks to count. */
export interface CostInputs {
  readonly teacher: TeacherConfig;
  readonly student: StudentConfig;
  readonly parts: PartSource;
}

/**
 * Parameters and multiply-adds of teacher and student, by the convention of `networks/cost.ts`.
 *
 * Multiply-adds are those of the convolutions, for one image.
 */
export const costMetric: Metric<"cost", NoOptions> = defineMetric({
  name: "cost",
  summary: "parameters and multiply-adds of teacher and student",
  source: "shapes; convention of Liu et al., CVPR 2021 (arXiv:2104.02244)",
  options: noOptions,
  compute({ teacher, student, parts }: CostInputs) {
    const full = teacherCost(teacher).total;
    const training = studentCost({ ...student, auxiliary: true, fused: false }, parts).total;
    const inference = inferenceCost(student, parts).total;
    return Promise.resolve({
      mappingParameters: mappingCost(teacher).total.parameters,
      teacherParameters: full.parameters,
      teacherMultiplyAdds: full.convolution,
      studentTrainingParameters: training.parameters,
      studentTrainingMultiplyAdds: training.convolution,
      studentParameters: inference.parameters,
      studentMultiplyAdds: inference.convolution,
    });
  },
});
