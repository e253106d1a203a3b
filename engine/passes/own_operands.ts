import { type Op, producers, type Program, useCounts, type Value } from "../program.ts";
import { sameShape, sizeOf } from "../rule.ts";

/** Fewest numbers of a result that is worth being written in place. */
const LARGE = 2 ** 15;
/** Most numbers of an operand that is worth being copied for every reader. */
const SMALL = 2 ** 12;

const SUMS_AND_PRODUCTS = new Set(["Add", "Multiply", "Sub"]);

/**
 * Gives every sum or product of an image and something small, such as a bias, a copy of its own of the
 * latter. OpenVINO writes a result in the place of the first operand only if nothing else reads any of
 * them; otherwise the image goes through the memory once more. Copies are parts of one array, as it
 * would find out that they are the same.
 */
export function ownOperands(program: Program): Program {
  const values: Value[] = [...program.values];
  const uses = useCounts(program);
  const makers = producers(program);
  const readers = Map.groupBy(program.ops.filter(canBeInPlace), ({ inputs }) => inputs[1]!);
  const copies = new Map<Op, number>();
  const copied = new Set<number>();
  const copy = (id: number): Op[] => {
    const all = readers.get(id) ?? [];
    if (all.length < 2 || copied.has(id)) return [];
    copied.add(id);
    const { shape, dtype } = values[id]!;
    const joined = values.push({ shape: shape.with(0, shape[0]! * all.length), dtype }) - 1;
    const outputs = all.map(() => values.push({ shape, dtype }) - 1);
    all.forEach((op, i) => copies.set(op, outputs[i]!));
    const attributes = { numOrSizeSplits: all.length, axis: 0 };
    return [
      { kernel: "Concat", inputs: all.map(() => id), attributes: { axis: 0 }, outputs: [joined] },
      { kernel: "SplitV", inputs: [joined], attributes, outputs },
    ];
  };
  const ops = program.ops.flatMap((op) => {
    const before = op.inputs.flatMap(copy);
    const own = copies.get(op);
    return [...before, own === undefined ? op : { ...op, inputs: [op.inputs[0]!, own] }];
  });
  return { ...program, values, ops };

  /** Whether the result could take the place of an image that is read here only. */
  function canBeInPlace({ kernel, inputs: [x, y], outputs: [out] }: Op): boolean {
    if (!SUMS_AND_PRODUCTS.has(kernel) || uses.get(x!) !== 1 || !makers.has(x!)) return false;
    const [image, small] = [values[x!]!, values[y!]!];
    return sizeOf(image.shape) >= LARGE && sameShape(image.shape, values[out!]!.shape) &&
      small.shape.length > 0 && sizeOf(small.shape) <= SMALL && !small.constant;
  }
}
