import type { Op, Program, Value } from "../program.ts";
import { deduplicate } from "./deduplicate.ts";
import { prune } from "./prune.ts";
import { slopesOfResults } from "./slopes_of_results.ts";

/** Writes gradients of leaky ReLU as products with a slope that is computed once. */
export function shareSlopes(program: Program): Program {
  const values: Value[] = [...program.values];
  const ops = slopesOfResults(program).ops.flatMap((op): Op[] => {
    if (op.kernel !== "LeakyReluGradient") return [op];
    const [dy, y] = op.inputs as [number, number];
    const slope = values.push({ shape: values[y]!.shape, dtype: "float32" }) - 1;
    const { alpha } = op.attributes;
    return [
      { kernel: "Step", inputs: [y], attributes: { alpha }, outputs: [slope] },
      { ...op, kernel: "Multiply", inputs: [dy, slope], attributes: {} },
    ];
  });
  return prune(deduplicate({ ...program, values, ops }));
}
