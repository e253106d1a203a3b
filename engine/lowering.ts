/**
 * Lowers a program to ONNX. Every 4-D value may exist in two physical layouts, as TensorFlow.js
 * means it (`channelsLast`, NHWC) and as ONNX's convolutions want it (`channelsFirst`, NCHW); a
 * transpose is written only where an operation needs the layout that is not there yet.
 *
 * @module
 */
import { type ElementType, GraphBuilder } from "./onnx_model.ts";
import type { Op, Program, Value } from "./program.ts";
import { type KernelRule, sizeOf } from "./rule.ts";

/** What a program is lowered for; rules choose the form that is fast there. */
export type Target = "onnxruntime" | "openvino" | "webgpu" | "export";

/** Physical layout of a 4-D value. Values of other ranks are always `channelsLast`. */
export type Layout = "channelsLast" | "channelsFirst";

const TO_FIRST = [0, 3, 1, 2];
const TO_LAST = [0, 2, 3, 1];

/** Reorders a list of four from NHWC to NCHW. */
export function channelsFirst<T>(list: readonly T[]): T[] {
  return TO_FIRST.map((i) => list[i]!);
}

/** The state of one lowering; rules read and write through it. */
export class Lowering extends GraphBuilder {
  readonly #names = new Map<number, Partial<Record<Layout, string>>>();

  /** Starts an empty graph. */
  constructor(
    /** What is lowered. */
    readonly program: Program,
    /** What it is lowered for. */
    readonly target: Target,
  ) {
    super();
  }

  /** A value of the program. */
  value(id: number): Value {
    return this.program.values[id]!;
  }
  /** The shape of a value, as TensorFlow.js means it. */
  shape(id: number): readonly number[] {
    return this.value(id).shape;
  }

  /** Defines a value in one layout. */
  put(id: number, name: string, layout: Layout = "channelsLast"): void {
    const names = this.#names.get(id) ?? {};
    names[layout] = name;
    this.#names.set(id, names);
  }

  /** Whether the value already exists in a layout. */
  has(id: number, layout: Layout): boolean {
    return this.#names.get(id)?.[layout] !== undefined;
  }

  /** The name of a value in a layout, transposed if need be. */
  get(id: number, layout: Layout = "channelsLast"): string {
    const names = this.#names.get(id);
    const known = names?.[layout];
    if (known) return known;
    const { shape, constant, dtype } = this.value(id);
    if (!names) {
      if (!constant) throw new Error(`Cannot lower "${this.program.name}": %${id} is not defined`);
      this.put(id, this.constant(constant, shape, dtype));
      return this.get(id, layout);
    }
    if (shape.length !== 4) return this.get(id, "channelsLast");
    const from = layout === "channelsLast" ? names.channelsFirst! : names.channelsLast!;
    // With one channel or one pixel both layouts have the same bytes.
    const free = shape[3] === 1 || shape[1]! * shape[2]! === 1;
    const name = free
      ? this.reshape(from, layout === "channelsFirst" ? channelsFirst(shape) : shape)
      : this.transpose(from, layout === "channelsFirst" ? TO_FIRST : TO_LAST);
    this.put(id, name, layout);
    return name;
  }

  /** The layout in which an operation on these values needs the fewest transposes. */
  layoutOf(ids: readonly number[]): Layout {
    const first = ids.some((id) => this.shape(id).length === 4 && this.has(id, "channelsFirst"));
    return first ? "channelsFirst" : "channelsLast";
  }

  /** An operand of an element-wise operation whose result has `rank` axes, to broadcast in `layout`. */
  operand(id: number, layout: Layout, rank: number): string {
    const shape = this.shape(id);
    if (shape.length === 4) return this.get(id, layout);
    const name = this.get(id);
    if (rank !== 4 || layout === "channelsLast" || sizeOf(shape) === 1) return name;
    const full = [...Array(4 - shape.length).fill(1), ...shape];
    const free = full[3] === 1 || full[1] * full[2] === 1;
    if (free) return this.reshape(name, channelsFirst(full));
    return this.transpose(this.reshape(name, full), TO_FIRST);
  }

  /** The numbers in the same order, in another shape. */
  reshape(name: string, shape: readonly number[]): string {
    return this.emit("Reshape", [name, this.integers(shape)]);
  }
  /** The axes in another order. */
  transpose(name: string, perm: readonly number[]): string {
    return this.emit("Transpose", [name], { perm });
  }
  /** A part: from `starts` to before `ends` along `axes`; negative numbers count from the end. */
  slice(
    name: string,
    starts: readonly number[],
    ends: readonly number[],
    axes: readonly number[],
    steps?: readonly number[],
  ): string {
    const inputs = [name, this.integers(starts), this.integers(ends), this.integers(axes)];
    return this.emit("Slice", steps ? [...inputs, this.integers(steps)] : inputs);
  }
  /** Splits an axis into pieces of these sizes. */
  split(name: string, sizes: readonly number[], axis: number): string[] {
    // A shader of WebGPU sees at least 8 buffers, and ONNX Runtime splits in one shader.
    if (this.target !== "webgpu" || sizes.length < 8) {
      return this.emitMany("Split", [name, this.integers(sizes)], { axis }, sizes.length);
    }
    let end = 0;
    return sizes.map((size) => this.slice(name, [end], [end += size], [axis]));
  }
  /** Pads with zeros; `before` and `after` list every axis. */
  pad(name: string, before: readonly number[], after: readonly number[]): string {
    if (before.every((n) => n === 0) && after.every((n) => n === 0)) return name;
    return this.emit("Pad", [name, this.integers([...before, ...after])]);
  }
  /** The sum over axes. */
  sum(name: string, axes: readonly number[], keepDims = false): string {
    return this.emit("ReduceSum", [name, this.integers(axes)], { keepdims: keepDims ? 1 : 0 });
  }
  /** A constant of float32. */
  float(data: Float32Array, shape: readonly number[]): string {
    return this.constant(data, shape, "float32");
  }
}

/** A program as an ONNX model. Inputs are named `in0`, `in1`, ..., outputs `out0`, `out1`, ... */
export function lower(
  program: Program,
  target: Target,
  rules: ReadonlyMap<string, KernelRule>,
): Uint8Array<ArrayBuffer> {
  const lowering = new Lowering(program, target);
  program.inputs.forEach((id, i) => lowering.put(id, `in${i}`));
  for (const op of program.ops) ruleOf(op, rules, program.name).lower(op, lowering);
  program.outputs.forEach((id, i) => lowering.alias(lowering.get(id), `out${i}`));
  const ports = (ids: readonly number[], prefix: string) =>
    ids.map((id, i) => ({
      name: `${prefix}${i}`,
      shape: program.values[id]!.shape,
      dtype: program.values[id]!.dtype as ElementType,
    }));
  return lowering.encode({
    name: program.name,
    inputs: ports(program.inputs, "in"),
    outputs: ports(program.outputs, "out"),
  });
}

function ruleOf(op: Op, rules: ReadonlyMap<string, KernelRule>, name: string): KernelRule {
  const rule = rules.get(op.kernel);
  if (!rule) {
    throw new RangeError(
      `Cannot lower "${name}": expected kernels that have a rule but received "${op.kernel}"`,
    );
  }
  return rule;
}
