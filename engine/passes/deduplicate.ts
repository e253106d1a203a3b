import { attributesKey, type Op, type Program } from "../program.ts";

/** Merges operations that compute the same, and small constants that are equal. */
export function deduplicate(program: Program): Program {
  const alias = new Map<number, number>();
  const constants = new Map<string, number>();
  program.values.forEach(({ constant, shape, dtype }, id) => {
    if (!constant || constant.length > 64) return; // larger ones are rarely equal, and slow to compare
    const key = `${dtype}[${shape}]${constant.join()}`;
    const twin = constants.get(key);
    if (twin === undefined) constants.set(key, id);
    else alias.set(id, twin);
  });
  const seen = new Map<string, Op>();
  const ops: Op[] = [];
  for (const original of program.ops) {
    const op = { ...original, inputs: original.inputs.map((id) => alias.get(id) ?? id) };
    const shape = op.inputs.length ? "" : program.values[op.outputs[0]!]!.shape.join();
    const key = `${op.kernel}(${op.inputs})${attributesKey(op.attributes)}${shape}`;
    const twin = seen.get(key);
    if (!twin) {
      seen.set(key, op);
      ops.push(op);
    } else op.outputs.forEach((id, i) => alias.set(id, twin.outputs[i]!));
  }
  return { ...program, ops, outputs: program.outputs.map((id) => alias.get(id) ?? id) };
}
