/**
 * A recorded computation in static single assignment: plain data that can be printed, counted,
 * compared, rewritten by `passes/` and lowered to a target.
 *
 * @module
 */

/** Element types that programs hold. */
export type DType = "float32" | "int32" | "bool";

/** One value: an input, a constant, or the output of an operation. */
export interface Value {
  /** Sizes of its axes. */
  readonly shape: readonly number[];
  /** Type of its elements. */
  readonly dtype: DType;
  /** The numbers, if they are known while tracing. */
  readonly constant?: Float32Array | Int32Array | Uint8Array;
}

/** Attributes of an operation, as TensorFlow.js passes them to the kernel. */
// deno-lint-ignore no-explicit-any -- every kernel has its own; the rule of the kernel knows them
export type Attributes = Readonly<Record<string, any>>;

/** One operation: a TensorFlow.js kernel applied to values, all by index. */
export interface Op {
  /** Name of the TensorFlow.js kernel. */
  readonly kernel: string;
  /** Indices of its operands. */
  readonly inputs: readonly number[];
  /** What else the kernel was given. */
  readonly attributes: Attributes;
  /** Indices of its results. */
  readonly outputs: readonly number[];
}

/** Numbers that the host draws for an input before every run. */
export interface Draw {
  /** Index of the input. */
  readonly input: number;
  /** Which numbers are drawn. */
  readonly distribution: "normal" | "uniform";
  /** Standard deviation, or minimum and maximum. */
  readonly parameters: readonly number[];
}

/** Operations in an order in which they can run. */
export interface Program {
  /** Name of the function. */
  readonly name: string;
  /** Everything that is computed or given. */
  readonly values: readonly Value[];
  /** The operations. */
  readonly ops: readonly Op[];
  /** Indices of the values that the caller gives. */
  readonly inputs: readonly number[];
  /** Indices of the values that the caller gets. */
  readonly outputs: readonly number[];
  /** The inputs that the host draws. */
  readonly draws: readonly Draw[];
}

/** A stable text for attributes; matrices are named by their keys, not by their numbers. */
export function attributesKey(attributes: Attributes): string {
  return JSON.stringify(attributes, (_, value) => {
    if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))) {
      return Object.is(value, -0) ? "-0" : String(value); // JSON knows neither
    }
    return typeof value?.key === "string" ? value.key : value;
  });
}

/** The program as text, one operation a line. */
export function printProgram({ name, values, ops, inputs, outputs }: Program): string {
  const show = (id: number) => `%${id}[${values[id]!.shape.join(",")}]`;
  return [
    `${name}(${inputs.map(show).join(", ")})`,
    ...ops.map(({ kernel, inputs, attributes, outputs }) =>
      `  ${outputs.map(show).join(", ")} = ${kernel}(${inputs.map(show).join(", ")}) ${
        attributesKey(attributes)
      }`
    ),
    `  return ${outputs.map(show).join(", ")}`,
  ].join("\n");
}

/** How often each kernel occurs, most frequent first. */
export function countKernels({ ops }: Program): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { kernel } of ops) counts.set(kernel, (counts.get(kernel) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a, x], [b, y]) => y - x || a.localeCompare(b)));
}

/** The producer of every value that an operation makes. */
export function producers({ ops }: Pick<Program, "ops">): Map<number, Op> {
  return new Map(ops.flatMap((op) => op.outputs.map((id) => [id, op] as const)));
}

/** How often every value is read, by operations and as an output. */
export function useCounts({ ops, outputs }: Pick<Program, "ops" | "outputs">): Map<number, number> {
  const counts = new Map<number, number>();
  for (const id of [...ops.flatMap(({ inputs }) => inputs), ...outputs]) {
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}
