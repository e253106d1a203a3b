import type { Program } from "../program.ts";

/**
 * Gives gradients of leaky ReLU the activation's result instead of its operand: both have the same
 * sign, so the operand need not be kept, and what makes it is free to be merged with the activation.
 */
export function slopesOfResults(program: Program): Program {
  const results = new Map<string, number>();
  for (const { kernel, inputs, attributes, outputs } of program.ops) {
    const alpha = attributes["alpha"];
    if (kernel === "LeakyRelu" && alpha > 0) results.set(`${inputs[0]},${alpha}`, outputs[0]!);
  }
  const ops = program.ops.map((op) => {
    if (op.kernel !== "LeakyReluGradient") return op;
    const [dy, x] = op.inputs as [number, number];
    return { ...op, inputs: [dy, results.get(`${x},${op.attributes["alpha"]}`) ?? x] };
  });
  return { ...program, ops };
}
