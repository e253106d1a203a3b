import { type Op, producers, type Program, type Value } from "../program.ts";
import { broadcastShape, sameShape, sizeOf } from "../rule.ts";
import { uniformValue } from "./fold.ts";

/** Kernels that broadcast their operands themselves. */
const BROADCASTING = new Set([
  "Add",
  "Sub",
  "Multiply",
  "RealDiv",
  "Maximum",
  "Minimum",
  "Pow",
  "SquaredDifference",
  "Greater",
  "GreaterEqual",
  "Less",
  "LessEqual",
  "Equal",
  "NotEqual",
  "LogicalAnd",
  "LogicalOr",
  "Select",
  "Mod",
  "Atan2",
  "FloorDiv",
]);

/**
 * Leaves broadcasting to those that use the result: what is repeated, or the same everywhere, is
 * given to them as small as it was. A product with ones that only repeats becomes what it is.
 */
export function broadcast(program: Program): Program {
  const values: Value[] = [...program.values];
  const made = producers(program);
  const uniform = uniformValue({ ...program, values }, made);
  const ops = program.ops.map((op) => {
    const rewritten = BROADCASTING.has(op.kernel) ? repeat(op) ?? shrink(op) : op;
    for (const id of rewritten.outputs) made.set(id, rewritten);
    return rewritten;
  });
  return { ...program, values, ops };

  /** x * 1 or x + 0 that differs from x in shape only. */
  function repeat(op: Op): Op | undefined {
    const neutral = { Multiply: 1, Add: 0 }[op.kernel];
    if (neutral === undefined) return undefined;
    const { shape, dtype } = values[op.outputs[0]!]!;
    const [a, b] = op.inputs as [number, number];
    const kept = uniform(b) === neutral ? a : uniform(a) === neutral ? b : undefined;
    if (kept === undefined || values[kept]!.dtype !== dtype) return undefined;
    return { ...op, kernel: "BroadcastTo", inputs: [kept], attributes: { shape } };
  }

  function shrink(op: Op): Op {
    const wanted = values[op.outputs[0]!]!.shape;
    let { inputs } = op;
    inputs.forEach((id, i) => {
      const small = smaller(id);
      if (!small) return;
      const shapes = inputs.map((each, k) => k === i ? small.shape : values[each]!.shape);
      if (!sameShape(shapes.reduce(broadcastShape), wanted)) return;
      inputs = inputs.with(i, small.id ?? values.push(small.value) - 1);
    });
    return inputs === op.inputs ? op : { ...op, inputs };
  }

  /** A smaller value that broadcasts to the same numbers. */
  function smaller(id: number): Smaller | undefined {
    const { shape, dtype } = values[id]!;
    if (sizeOf(shape) < 2) return undefined;
    const op = made.get(id);
    if (op?.kernel === "BroadcastTo" || (op?.kernel === "Tile" && repeatsOnes(op))) {
      return { shape: values[op.inputs[0]!]!.shape, id: op.inputs[0]! };
    }
    const number = uniform(id);
    if (number === undefined) return undefined;
    return { shape: [], value: { shape: [], dtype, constant: ARRAYS[dtype].of(number) } };
  }

  function repeatsOnes({ inputs, attributes }: Op): boolean {
    const { shape } = values[inputs[0]!]!;
    return shape.every((size, axis) => size === 1 || attributes["reps"][axis] === 1);
  }
}

type Smaller =
  & { readonly shape: readonly number[] }
  & ({ readonly id: number; readonly value?: never } | {
    readonly value: Value;
    readonly id?: never;
  });

const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;
