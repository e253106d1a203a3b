import { type Op, producers, type Program } from "../program.ts";

const RESHAPES = new Set(["Reshape", "ExpandDims"]);

/** Makes one operation of two in a row: reshapes, transposes, and signs into sums and differences. */
export function merge(program: Program): Program {
  const { values } = program;
  const made = producers(program);
  const maker = (id: number, kernel: string) => {
    const op = made.get(id);
    return op?.kernel === kernel ? op : undefined;
  };
  const ops = program.ops.map((op) => {
    const merged = rewrite(op);
    for (const id of merged.outputs) made.set(id, merged);
    return merged;
  });
  return { ...program, ops };

  function rewrite(op: Op): Op {
    const [a, b] = op.inputs as [number, number];
    if (RESHAPES.has(op.kernel)) {
      const before = made.get(a);
      if (!before || !RESHAPES.has(before.kernel)) return op;
      const shape = values[op.outputs[0]!]!.shape;
      return { ...op, kernel: "Reshape", inputs: [before.inputs[0]!], attributes: { shape } };
    }
    if (op.kernel === "Transpose") {
      const before = maker(a, "Transpose");
      if (!before) return op;
      const first: number[] = before.attributes["perm"];
      const perm = (op.attributes["perm"] as number[]).map((axis) => first[axis]!);
      return { ...op, inputs: [before.inputs[0]!], attributes: { perm } };
    }
    if (op.kernel === "Add") {
      const [negA, negB] = [maker(a, "Neg"), maker(b, "Neg")];
      if (negB) return { ...op, kernel: "Sub", inputs: [a, negB.inputs[0]!] };
      if (negA) return { ...op, kernel: "Sub", inputs: [b, negA.inputs[0]!] };
    }
    const negated = op.kernel === "Sub" && maker(b, "Neg");
    return negated ? { ...op, kernel: "Add", inputs: [a, negated.inputs[0]!] } : op;
  }
}
