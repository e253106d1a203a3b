import { axesOf } from "../kernels/reduction.ts";
import { type Op, producers, type Program, type Value } from "../program.ts";
import { sameShape } from "../rule.ts";
import { uniformValue } from "./fold.ts";

const RESHAPES = new Set(["Reshape", "ExpandDims"]);
const REDUCTIONS = new Set(["Sum", "Mean", "Max", "Min", "Prod"]);

/**
 * Makes one operation of two in a row: reshapes, transposes, factors, and signs into sums and
 * differences. A reduction of axes with one number each is a reshape.
 */
export function merge(program: Program): Program {
  const values: Value[] = [...program.values];
  const made = producers(program);
  const uniform = uniformValue({ ...program, values }, made);
  const maker = (id: number, kernel: string) => {
    const op = made.get(id);
    return op?.kernel === kernel ? op : undefined;
  };
  const ops = program.ops.map((op) => {
    const merged = rewrite(op);
    for (const id of merged.outputs) made.set(id, merged);
    return merged;
  });
  return { ...program, values, ops };

  /** What a product multiplies by a number that is the same everywhere. */
  function scaled({ kernel, inputs, outputs }: Op): Scaled | undefined {
    if (kernel !== "Multiply") return undefined;
    const { shape, dtype } = values[outputs[0]!]!;
    if (dtype !== "float32") return undefined;
    for (const [i, x] of inputs.entries()) {
      const factor = uniform(inputs[1 - i]!);
      if (factor !== undefined && sameShape(values[x]!.shape, shape)) return { x, factor };
    }
  }

  /** Whether a reduction only leaves out axes. */
  function reducesNothing({ kernel, inputs, attributes, outputs }: Op): boolean {
    if (!REDUCTIONS.has(kernel)) return false;
    const [{ shape, dtype }, out] = [values[inputs[0]!]!, values[outputs[0]!]!];
    return dtype === out.dtype && axesOf(attributes, shape).every((axis) => shape[axis] === 1);
  }

  function rewrite(op: Op): Op {
    const [a, b] = op.inputs as [number, number];
    if (RESHAPES.has(op.kernel) || reducesNothing(op)) {
      const before = made.get(a);
      const from = before && RESHAPES.has(before.kernel) ? before.inputs[0]! : a;
      const shape = values[op.outputs[0]!]!.shape;
      return { ...op, kernel: "Reshape", inputs: [from], attributes: { shape } };
    }
    if (op.kernel === "Transpose") {
      const before = maker(a, "Transpose");
      if (!before) return op;
      const first: number[] = before.attributes["perm"];
      const perm = (op.attributes["perm"] as number[]).map((axis) => first[axis]!);
      return { ...op, inputs: [before.inputs[0]!], attributes: { perm } };
    }
    const last = scaled(op);
    const first = last && made.has(last.x) && scaled(made.get(last.x)!);
    if (first) {
      const factor = Math.fround(first.factor * last.factor);
      if (!isOrdinary(factor)) return op;
      const constant = Float32Array.of(factor);
      const scalar = values.push({ shape: [], dtype: "float32", constant }) - 1;
      return { ...op, inputs: [first.x, scalar] };
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

interface Scaled {
  readonly x: number;
  readonly factor: number;
}

/** Whether a product of two factors is far from where float32 loses numbers that each alone keeps. */
const isOrdinary = (factor: number) => Math.abs(factor) > 1e-30 && Math.abs(factor) < 1e30;
