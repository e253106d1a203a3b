import type { Program } from "../program.ts";

/** Removes operations whose results nobody needs, and forgets the numbers of constants unread. */
export function prune(program: Program): Program {
  const live = new Set(program.outputs);
  const ops = program.ops.toReversed().filter(({ inputs, outputs }) => {
    if (!outputs.some((id) => live.has(id))) return false;
    inputs.forEach((id) => live.add(id));
    return true;
  }).reverse();
  const values = program.values.map((value, id) => {
    if (!value.constant || live.has(id)) return value;
    const { shape, dtype } = value;
    return { shape, dtype };
  });
  return { ...program, values, ops };
}
