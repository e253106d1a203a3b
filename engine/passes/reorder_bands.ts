import { bandPlace } from "../../core/haar_matrix.ts";
import { type Op, producers, type Program, useCounts, type Value } from "../program.ts";
import { sameShape } from "../rule.ts";

/** What may stand between a convolution and the transform: each channel by itself. */
const BY_CHANNEL = new Set(["Add", "AddV2", "Multiply", "LeakyRelu"]);

/** In which order the inverse Haar transform of a target reads reordered bands; undefined: it does not. */
export type BandOrder = (bands: number) => readonly number[] | undefined;

/** The four bands of a channel one after the other, from two channels on. */
export function cellByCell(bands: number): readonly number[] | undefined {
  if (bands < 8) return undefined;
  return Array.from({ length: bands }, (_, i) => bandPlace(Math.floor(i / 4), i % 4, bands / 4));
}

/**
 * Lets convolutions make bands in another order where only an inverse Haar transform reads them
 * (attribute `reordered`): filters change their order instead of images.
 *
 * @returns The same program if there is no such transform.
 */
export function reorderBands(program: Program, orderOf: BandOrder = cellByCell): Program {
  const values: Value[] = [...program.values];
  const uses = useCounts(program);
  const makers = producers(program);
  const before = new Map<Op, readonly Op[]>(); // what makes the new operands of an operation
  const changed = new Map<Op, Op>();

  /** A value with its last axis in that order. */
  const reordered = (id: number, ops: Op[]): number => {
    const { shape, dtype } = values[id]!;
    const size = shape.at(-1)!;
    const order = Int32Array.from(orderOf(size)!);
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
    const chain = image !== undefined && others.every((id) => isSmall(id) || sumTo(id))
      ? chainTo(image)
      : undefined;
    return chain && [...chain, op];
  };
  /** Whether a value is the same for all channels. */
  const isMap = (id: number) => (values[id]!.shape.at(-1) ?? 1) === 1;
  /** Whether it is that, or the same for all pixels. */
  const isSmall = (id: number) =>
    isMap(id) || values[id]!.shape.slice(-3, -1).every((size) => size === 1);
  /** The operation that puts such values together, as noise and bias. */
  const sumTo = (id: number): Op | undefined => {
    const op = makers.get(id);
    return op?.kernel === "Add" && uses.get(id) === 1 && op.inputs.every(isSmall) ? op : undefined;
  };
  const change = (op: Op, image?: number): void => {
    const ops: Op[] = [];
    const inputs = op.inputs.map((id) => {
      if (id === image || isMap(id)) return id;
      const sum = isSmall(id) ? undefined : sumTo(id);
      if (!sum) return reordered(id, ops);
      change(sum);
      return id;
    });
    before.set(op, ops);
    changed.set(op, { ...op, inputs });
  };

  for (const op of program.ops) {
    const size = op.kernel === "InverseHaar" ? values[op.inputs[0]!]!.shape[3]! : 0;
    const chain = size > 0 && orderOf(size) ? chainTo(op.inputs[0]!) : undefined;
    if (!chain) continue;
    chain.forEach((each, i) => change(each, i === 0 ? each.inputs[0] : chain[i - 1]!.outputs[0]));
    changed.set(op, { ...op, attributes: { ...op.attributes, reordered: true } });
  }
  if (changed.size === 0) return program;
  const ops = program.ops.flatMap((op) => [...before.get(op) ?? [], changed.get(op) ?? op]);
  return { ...program, values, ops };
}
