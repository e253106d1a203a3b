/** Types in graphs: what ONNX Runtime's kernels do not take is computed as something else. @module */
import type { Lowering } from "../lowering.ts";
import { ELEMENT_TYPES } from "../onnx_model.ts";
import type { DType } from "../program.ts";

/** A value as another type; nothing is written if it has it. */
export function cast(
  l: Lowering,
  name: string,
  from: DType | "int64",
  to: DType | "int64",
): string {
  return from === to ? name : l.emit("Cast", [name], { to: ELEMENT_TYPES[to] });
}

/** A scalar of a type. */
export function typedScalar(l: Lowering, value: number | boolean, dtype: DType): string {
  const number = Number(value);
  if (dtype === "int32") return l.constant(Int32Array.of(number), [], "int32");
  if (dtype === "bool") return l.constant(Uint8Array.of(number === 0 ? 0 : 1), [], "bool");
  return l.scalar(number);
}
