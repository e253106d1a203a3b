import type { Op, Program, Value } from "../program.ts";
import { deduplicate } from "./deduplicate.ts";
import { prune } from "./prune.ts";

/**
 * Writes gradients of leaky ReLU as products with a slope that is computed once, and from the
 * activation's result instead of its operand: both have the same sign, and what comes before an
 * activation is then free to be merged with it.
 */
export function shareSlopes(program: Program): Program {
  const results = new Map<string, number>();
  for (const { kernel, inputs, attributes, outputs } of program.ops) {
    const alpha = attributes["alpha"];
    if (kernel === "LeakyRelu" && alpha > 0) results.set(`${inputs[0]},${alpha}`, outputs[0]!);
  }
  const values: Value[] = [...program.values];
  const ops = program.ops.flatMap((op): Op[] => {
    if (op.kernel !== "LeakyReluGradient") return [op];
    const [dy, x] = op.inputs as [number, number];
    const { alpha } = op.attributes;
    const y = results.get(`${x},${alpha}`) ?? x;
    const slope = values.push({ shape: values[x]!.shape, dtype: "float32" }) - 1;
    return [
      { kernel: "Step", inputs: [y], attributes: { alpha }, outputs: [slope] },
      { ...op, kernel: "Multiply", inputs: [dy, slope], attributes: {} },
    ];
  });
  return prune(deduplicate({ ...program, values, ops }));
}
