import { prefixed, under } from "../core/params.ts";
import { fuseMobileSynthesis } from "../networks/fuse_mobile_synthesis.ts";
import type { Student } from "../networks/generator.ts";

/** A student with what inference needs: constant demodulation merged, no auxiliary heads. */
export function forInference(student: Student): Student {
  const { weights, config } = fuseMobileSynthesis(
    under(student.weights, "synthesis"),
    student.config,
    student.parts,
  );
  const own = Object.entries(student.weights).filter(([name]) => name.startsWith("mapping."));
  return {
    ...student,
    config,
    weights: { ...Object.fromEntries(own), ...prefixed(weights, "synthesis") },
  };
}
