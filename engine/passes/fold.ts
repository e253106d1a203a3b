import { type Op, producers, type Program, type Value } from "../program.ts";
import { sameShape } from "../rule.ts";

/**
 * Removes operations that change nothing: x + 0, x - 0, x * 1, x / 1, reshape, tile, broadcast,
 * slice, pad, reduction or cast to what the value already is; a sign or a Haar transform and its
 * inverse in a row. Automatic differentiation leaves many of them.
 */
export function fold(program: Program): Program {
  const { values } = program;
  const alias = new Map<number, number>();
  const find = (id: number): number => {
    const to = alias.get(id);
    return to === undefined ? id : find(to);
  };
  const makers = producers(program);
  const uniform = uniformValue(program, makers, find);
  const ops: Op[] = [];
  for (const op of program.ops) {
    const inputs = op.inputs.map(find);
    const [a, b] = inputs as [number, number];
    const out = op.outputs[0]!;
    const keeps = (id: number) =>
      sameShape(values[id]!.shape, values[out]!.shape) && values[id]!.dtype === values[out]!.dtype;
    const undone = (id: number, kernel: string) => {
      const maker = makers.get(id);
      return maker?.kernel === kernel ? find(maker.inputs[0]!) : undefined;
    };
    let same: number | undefined;
    switch (op.kernel) {
      case "Add":
        same = uniform(b) === 0 && keeps(a) ? a : uniform(a) === 0 && keeps(b) ? b : undefined;
        break;
      case "Sub":
        same = uniform(b) === 0 && keeps(a) ? a : undefined;
        break;
      case "Multiply":
        same = uniform(b) === 1 && keeps(a) ? a : uniform(a) === 1 && keeps(b) ? b : undefined;
        break;
      case "RealDiv":
        same = uniform(b) === 1 && keeps(a) ? a : undefined;
        break;
      case "Reshape":
      case "Tile":
      case "BroadcastTo":
      case "Slice":
      case "PadV2":
      case "Sum":
      case "Mean":
      case "Max":
      case "Min":
      case "Prod":
      case "Cast":
        same = keeps(a) ? a : undefined;
        break;
      case "Transpose":
        same = op.attributes["perm"].every((axis: number, i: number) => axis === i) ? a : undefined;
        break;
      case "Neg":
        same = undone(a, "Neg");
        break;
      case "Haar":
        same = undone(a, "InverseHaar");
        break;
      case "InverseHaar":
        same = undone(a, "Haar");
        break;
    }
    if (same !== undefined) alias.set(out, same);
    else ops.push({ ...op, inputs });
  }
  return { ...program, ops, outputs: program.outputs.map(find) };
}

/** What automatic differentiation makes of numbers that are the same everywhere. */
const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Multiply: (a, b) => a * b,
  Neg: (a) => -a,
  RealDiv: (a, b) => a / b,
  Sub: (a, b) => a - b,
};

/** The number that all elements of a value equal, where that is known. */
export function uniformValue(
  { values }: Program,
  makers: Map<number, Op>,
  find: (id: number) => number = (id) => id,
): (id: number) => number | undefined {
  const PASSES_ON = new Set(["Reshape", "BroadcastTo", "Tile", "Cast", "ExpandDims", "Transpose"]);
  const known = new Map<number, number | undefined>();
  const look = (id: number): number | undefined => {
    const { constant } = values[id]!;
    if (constant) {
      return isUniform(constant) ? constant[0] : undefined;
    }
    const op = makers.get(id);
    if (!op) return undefined;
    if (op.kernel === "ZerosLike") return 0;
    if (op.kernel === "OnesLike") return 1;
    if (op.kernel === "Fill") return Number(op.attributes["value"]);
    if (PASSES_ON.has(op.kernel)) return uniform(op.inputs[0]!);
    if (op.kernel === "Multiply" && op.inputs.some((input) => uniform(input) === 0)) return 0;
    const compute = values[op.outputs[0]!]!.dtype === "float32" ? ARITHMETIC[op.kernel] : undefined;
    const operands = compute ? op.inputs.map(uniform) : [];
    if (!compute || operands.includes(undefined)) return undefined;
    return Math.fround(compute(...operands as [number, number]));
  };
  const uniform = (id: number): number | undefined => {
    const root = find(id);
    if (!known.has(root)) known.set(root, look(root));
    return known.get(root);
  };
  return uniform;
}

/** Whether all numbers are the same. Constants are as large as a network's weights: no calls. */
function isUniform(numbers: NonNullable<Value["constant"]>): boolean {
  const [first] = numbers;
  for (let i = 1; i < numbers.length; i++) {
    if (numbers[i] !== first) return false;
  }
  return true;
}
