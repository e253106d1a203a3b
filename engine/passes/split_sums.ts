import { type Op, producers, type Program, useCounts, type Value } from "../program.ts";
import { broadcastShape, sameShape, sizeOf } from "../rule.ts";

/**
 * Adds one after the other what is put together first to be added to something larger, such as noise
 * and bias: a number per pixel and one per channel are small, their sum is as large as an image.
 */
export function splitSums(program: Program): Program {
  const values: Value[] = [...program.values];
  const makers = producers(program);
  const uses = useCounts(program);
  const gone = new Set<Op>();
  const shapeOf = (id: number) => values[id]!.shape;
  const ops = program.ops.flatMap((op): Op[] => {
    const out = op.outputs[0]!;
    if (op.kernel !== "Add" || values[out]!.dtype !== "float32") return [op];
    const sum = op.inputs.map((id) => makers.get(id)).find((made) => made && repeats(made));
    const x = op.inputs.find((id) => id !== sum?.outputs[0]);
    if (!sum || x === undefined || !sameShape(shapeOf(x), shapeOf(out))) return [op];
    gone.add(sum);
    const [a, b] = [...sum.inputs].sort((a, b) => sizeOf(shapeOf(a)) - sizeOf(shapeOf(b)));
    const first = values.push({ shape: shapeOf(out), dtype: "float32" }) - 1;
    return [
      { ...op, inputs: [x, a!], outputs: [first] },
      { ...op, inputs: [first, b!] },
    ];
  });
  return { ...program, values, ops: ops.filter((op) => !gone.has(op)) };

  /** Whether an operation is a sum that is larger than both operands, and is read once. */
  function repeats({ kernel, inputs, outputs: [out] }: Op): boolean {
    return kernel === "Add" && uses.get(out!) === 1 &&
      inputs.every((id) => sizeOf(shapeOf(id)) < sizeOf(shapeOf(out!))) &&
      sameShape(inputs.map(shapeOf).reduce(broadcastShape), shapeOf(out!));
  }
}
