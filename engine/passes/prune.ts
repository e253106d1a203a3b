import type { Program } from "../program.ts";

/** Removes operations whose results nobody needs. */
export function prune(program: Program): Program {
  const live = new Set(program.outputs);
  const ops = program.ops.toReversed().filter(({ inputs, outputs }) => {
    if (!outputs.some((id) => live.has(id))) return false;
    inputs.forEach((id) => live.add(id));
    return true;
  }).reverse();
  return { ...program, ops };
}
