import { type Op, producers, type Program, type Value } from "../program.ts";
import { sizeOf } from "../rule.ts";

/**
 * For OpenVINO in bfloat16, which computes in float32 whatever stands between an output and the
 * convolutions and products before it. The gradient of a bias is a sum over an image, so images stayed
 * float32 back to the convolution that made them, and changed type and layout around the convolutions
 * between. Here such a sum is convolved with a one, which ends what is before it. Sums that only lead
 * to single numbers, as losses do, stay as they are.
 */
export function endTails(program: Program): Program {
  const values: Value[] = [...program.values];
  const sizeAt = (id: number) => sizeOf(values[id]!.shape);
  const tail = tailOf(program, program.outputs.filter((id) => sizeAt(id) > 1));
  const value = (shape: readonly number[], constant?: Float32Array) =>
    values.push({ shape, dtype: "float32", ...constant && { constant } }) - 1;
  const one = value([1, 1, 1, 1], Float32Array.of(1));

  const ops = program.ops.flatMap((op): Op[] => {
    if (!isSumOfImages(op, values) || !tail.has(op)) return [op];
    const out = op.outputs[0]!;
    const { shape } = values[out]!;
    const line = [1, sizeAt(out), 1, 1];
    const [sum, row, product] = [value(shape), value(line), value(line)];
    return [
      { ...op, outputs: [sum] },
      { kernel: "Reshape", inputs: [sum], attributes: { shape: line }, outputs: [row] },
      { kernel: "Conv2D", inputs: [row, one], attributes: POINTWISE, outputs: [product] },
      { kernel: "Reshape", inputs: [product], attributes: { shape }, outputs: [out] },
    ];
  });
  return { ...program, values, ops };
}

const POINTWISE = { strides: [1, 1], pad: "valid", dilations: [1, 1], dataFormat: "NHWC" };

function isSumOfImages({ kernel, inputs, outputs }: Op, values: readonly Value[]): boolean {
  return (kernel === "Sum" || kernel === "Mean") && values[inputs[0]!]!.shape.length === 4 &&
    values[outputs[0]!]!.dtype === "float32";
}

/** Operations from which there is a way to an output without convolution or product of matrices. */
function tailOf(program: Program, outputs: readonly number[]): Set<Op> {
  const makers = producers(program);
  const tail = new Set<Op>();
  const pending = [...outputs];
  while (pending.length > 0) {
    const op = makers.get(pending.pop()!);
    if (!op || tail.has(op) || /Conv|MatMul/.test(op.kernel)) continue;
    tail.add(op);
    pending.push(...op.inputs);
  }
  return tail;
}
