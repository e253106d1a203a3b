import { bandPlace } from "../../core/haar_matrix.ts";
import { type Op, producers, type Program, useCounts, type Value } from "../program.ts";
import { sameShape } from "../rule.ts";

/** What may stand between a convolution and the transform: each channel by itself. */
const BY_CHANNEL = new Set(["Add", "AddV2", "Multiply", "LeakyRelu"]);

/**
 * Lets convolutions make the four bands of a channel one after the other where only an inverse Haar
 * transform reads them (attribute `cells`): filters change their order instead of images.
 *
 * @param fewest Bands of the smallest transform that gains by it.
 * @returns The same program if there is none.
 */
export function bandsByCell(program: Program, fewest = 8): Program {
  const values: Value[] = [...program.values];
  const uses = useCounts(program);
  const makers = producers(program);
  const before = new Map<Op, readonly Op[]>(); // what makes the new operands of an operation
  const changed = new Map<Op, Op>();

  /** A value with the last axis by cells. */
  const reordered = (id: number, ops: Op[]): number => {
    const { shape, dtype } = values[id]!;
    const size = shape.at(-1)!;
    const order = Int32Array.from(
      { length: size },
      (_, i) => bandPlace(Math.floor(i / 4), i % 4, size / 4),
    );
    const indices = values.push({ shape: [size], dtype: "int32", constant: order }) - 1;
    const made = values.push({ shape, dtype }) - 1;
    const attributes = { axis: shape.length - 1, batchDims: 0 };
    ops.push({ kernel: "GatherV2", inputs: [id, indices], attributes, outputs: [made] });
    return made;
  };

  /** Operations from a convolution to a value, if they treat channels alike and nothing else reads them. */
  const chainTo = (id: number): readonly Op[] | undefined => {
    const op = makers.get(id);
    if (!op || uses.get(id) !== 1) return undefined;
    if (op.kernel === "Conv2D") return [op];
    if (!BY_CHANNEL.has(op.kernel)) return undefined;
    const [out] = op.outputs as [number];
    const image = op.inputs.find((id) => sameShape(values[id]!.shape, values[out]!.shape));
    const others = op.inputs.filter((id) => id !== image);
    const chain = image !== undefined && others.every((id) => isMap(id) || isList(id))
      ? chainTo(image)
      : undefined;
    return chain && [...chain, op];
  };
  /** Whether a value is the same for all channels. */
  const isMap = (id: number) => (values[id]!.shape.at(-1) ?? 1) === 1;
  /** Whether it is the same for all pixels. */
  const isList = (id: number) => values[id]!.shape.slice(-3, -1).every((size) => size === 1);

  for (const op of program.ops) {
    const size = op.kernel === "InverseHaar" ? values[op.inputs[0]!]!.shape[3]! : 0;
    const chain = size >= fewest ? chainTo(op.inputs[0]!) : undefined;
    if (!chain) continue;
    chain.forEach((each, i) => {
      const ops: Op[] = [];
      const image = i === 0 ? each.inputs[0] : chain[i - 1]!.outputs[0];
      const inputs = each.inputs.map((id) => id === image || isMap(id) ? id : reordered(id, ops));
      before.set(each, ops);
      changed.set(each, { ...each, inputs });
    });
    changed.set(op, { ...op, attributes: { ...op.attributes, cells: true } });
  }
  if (changed.size === 0) return program;
  const ops = program.ops.flatMap((op) => [...before.get(op) ?? [], changed.get(op) ?? op]);
  return { ...program, values, ops };
}
