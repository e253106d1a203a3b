/**
 * Lowers a program to ONNX. Every 4-D value may exist in two physical layouts, as TensorFlow.js
 * means it (`channelsLast`, NHWC) and as ONNX's convolutions want it (`channelsFirst`, NCHW); a
 * transpose is written only where an operation needs the layout that is not there yet.
 *
 * @module
 */
import { blockedPick } from "./forms/blocked_pick.ts";
import { type ElementType, GraphBuilder, type ModelFile } from "./onnx_model.ts";
import type { Op, Program, Value } from "./program.ts";
import { type KernelRule, sameShape, sizeOf } from "./rule.ts";

/** What a program is lowered for; rules choose the form that is fast there. */
export type Target = "onnxruntime" | "openvino" | "webgpu";

/** Physical layout of a 4-D value. Values of other ranks are always `channelsLast`. */
export type Layout = "channelsLast" | "channelsFirst";

/**
 * Layouts that only some forms know. `blocked` is ONNX Runtime's own for convolutions (NCHWc): the
 * numbers lie as `[N,C/b,H,W,b]` in a tensor that says `[N,C,H,W]`; `spread` is the same in a tensor
 * that says what it is, as broadcasting wants it. `padded` is `blocked` of more channels than there
 * are; it can only be turned into other layouts. `even` is `blocked` with zeros after the last row and
 * the last column where their number is odd.
 */
export type PhysicalLayout = Layout | "blocked" | "spread" | "padded" | "even";

/** Writes an operation for a target if it can; else the rule of the kernel does. */
export type Form = (op: Op, lowering: Lowering) => boolean;

/** What OpenVINO computes of constants when it opens a model, slowly, and with copies that it keeps. */
const SLOW_AT_OPENING = ["Transpose", "Reshape", "Slice", "Mul", "ReduceSum"];

/**
 * Numbers of a value of one channel from which a reshape pays: ONNX Runtime broadcasts number by
 * number where the last axis is one, 70 times slower than along rows.
 */
const LARGE_MAP = 1024;

const TO_FIRST = [0, 3, 1, 2];
const TO_LAST = [0, 2, 3, 1];

/** Reorders a list of four from NHWC to NCHW. */
export function channelsFirst<T>(list: readonly T[]): T[] {
  return TO_FIRST.map((i) => list[i]!);
}

/** The state of one lowering; rules read and write through it. */
export class Lowering extends GraphBuilder {
  readonly #names = new Map<number, Partial<Record<PhysicalLayout, string>>>();
  readonly #shared = new Map<string, unknown>();

  /** Starts an empty graph. */
  constructor(
    /** What is lowered. */
    readonly program: Program,
    /** What it is lowered for. */
    readonly target: Target,
    /** Channels per block of the layout `blocked`; 0 where the target has no such layout. */
    readonly block: number = 0,
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
  put(id: number, name: string, layout: PhysicalLayout = "channelsLast"): void {
    const names = this.#names.get(id) ?? {};
    names[layout] = name;
    this.#names.set(id, names);
  }

  /** Whether the value already exists in a layout. */
  has(id: number, layout: PhysicalLayout): boolean {
    return this.#names.get(id)?.[layout] !== undefined;
  }

  /** Whether the value already exists in blocks of channels. */
  isBlocked(id: number): boolean {
    return this.has(id, "blocked") || this.has(id, "spread") || this.has(id, "even");
  }

  /** Whether the value can be laid out in blocks of channels. */
  canBlock(id: number): boolean {
    const { shape, dtype } = this.value(id);
    return this.block > 0 && dtype === "float32" && shape.length === 4 &&
      shape[3]! % this.block === 0;
  }

  /** The name of a value in a layout, transposed if need be. */
  get(id: number, layout: PhysicalLayout = "channelsLast"): string {
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
    const name = this.#converted(id, names, layout);
    this.put(id, name, layout);
    return name;
  }

  #converted(
    id: number,
    names: Partial<Record<PhysicalLayout, string>>,
    layout: PhysicalLayout,
  ): string {
    const [n, h, w, c] = this.shape(id) as [number, number, number, number];
    const sizes = {
      channelsLast: [n, h, w, c],
      channelsFirst: [n, c, h, w],
      blocked: [n, c, h, w],
      spread: [n, c / this.block, h, w, this.block],
    };
    const from = names.channelsFirst ?? names.channelsLast;
    if (layout === "padded" || layout === "even") {
      throw new Error(`Cannot lower "${this.program.name}": %${id} ${layout}`);
    }
    if (layout === "spread") return this.reshape(this.get(id, "blocked"), sizes.spread);
    if (layout === "blocked") {
      if (names.spread) return this.reshape(names.spread, sizes.blocked);
      if (names.even) {
        const image = [c, h + h % 2, w + w % 2] as const;
        return blockedPick(this, names.even, image, { from: [0, 0], size: [h, w], stride: 1 });
      }
      if (h * w === 1) return this.reshape(from!, sizes.blocked);
      return names.channelsFirst
        ? this.emit("com.microsoft.nchwc/ReorderInput", [names.channelsFirst])
        : this.emit("com.microsoft.nchwc/ReorderInput", [from!], { channels_last: 1 });
    }
    if (!from) {
      const blocked = names.padded ?? this.get(id, "blocked");
      if (h * w === 1 && !names.padded) return this.reshape(blocked, sizes[layout]);
      return this.emit("com.microsoft.nchwc/ReorderOutput", [blocked], {
        channels: c,
        channels_last: layout === "channelsLast" ? 1 : 0,
      });
    }
    // With one channel or one pixel both layouts have the same bytes.
    if (c === 1 || h * w === 1) return this.reshape(from, sizes[layout]);
    return this.transpose(from, layout === "channelsFirst" ? TO_FIRST : TO_LAST);
  }

  /** What is made for some key, at the first time; for what several operations need. */
  shared<T>(key: string, make: () => T): T {
    if (!this.#shared.has(key)) this.#shared.set(key, make());
    return this.#shared.get(key) as T;
  }

  /** The layout in which an operation on these values needs the fewest transposes. */
  layoutOf(ids: readonly number[]): Layout {
    const first = ids.some((id) =>
      this.shape(id).length === 4 &&
      (this.has(id, "channelsFirst") || this.has(id, "padded") || this.isBlocked(id))
    );
    return first ? "channelsFirst" : "channelsLast";
  }

  /** The same for an element-wise operation, which can also work on blocks of channels. */
  elementwiseLayout(ids: readonly number[], out: number): PhysicalLayout {
    const shape = this.shape(out);
    if (shape.length !== 4) return "channelsLast";
    const isMap = shape[3] === 1 && sizeOf(shape) >= LARGE_MAP;
    if (isMap && this.target !== "openvino") return "channelsFirst";
    const full = (id: number) => sameShape(this.shape(id), shape);
    const some = this.canBlock(out) && ids.some((id) => full(id) && this.isBlocked(id));
    const every = some && ids.every((id) => {
      const { shape: own, dtype } = this.value(id);
      const spreads = own.length === 4 || own.at(-1) === sizeOf(own) || own.at(-1) === 1 ||
        own.length === 0;
      return dtype === "float32" && spreads;
    });
    if (!every) return this.layoutOf(ids);
    return ids.every((id) => full(id) || sizeOf(this.shape(id)) === 1) ? "blocked" : "spread";
  }

  /** An operand of an element-wise operation whose result has `rank` axes, to broadcast in `layout`. */
  operand(id: number, layout: PhysicalLayout, rank: number): string {
    const shape = this.shape(id);
    const blocks = layout === "blocked" || layout === "spread";
    if (blocks && sizeOf(shape) === 1) return this.reshape(this.get(id), []);
    if (layout === "blocked") return this.get(id, "blocked");
    if (layout === "spread") return this.#spreadOperand(id);
    if (shape.length === 4) return this.get(id, layout);
    const name = this.get(id);
    if (rank !== 4 || layout === "channelsLast" || sizeOf(shape) === 1) return name;
    const full = [...Array(4 - shape.length).fill(1), ...shape];
    const free = full[3] === 1 || full[1] * full[2] === 1;
    if (free) return this.reshape(name, channelsFirst(full));
    return this.transpose(this.reshape(name, full), TO_FIRST);
  }

  #spreadOperand(id: number): string {
    const shape = this.shape(id);
    const [n, h, w, c] = [...Array(4 - shape.length).fill(1), ...shape] as number[];
    if (c === 1) return this.reshape(this.get(id), [n!, 1, h!, w!, 1]);
    if (h! * w! > 1) return this.get(id, "spread");
    return this.reshape(this.get(id), [n!, c! / this.block, 1, 1, this.block]);
  }

  /** The numbers in the same order, in another shape. */
  reshape(name: string, shape: readonly number[]): string {
    // OpenVINO's reader of ONNX crashes at an empty list of sizes.
    if (shape.length === 0) return this.emit("Squeeze", [name]);
    return this.emit("Reshape", [name, this.integers(shape)]);
  }
  /** The axes in another order. */
  transpose(name: string, perm: readonly number[]): string {
    return this.emit("Transpose", [name], { perm });
  }
  /**
   * The axes of this shape in another order. Those that stay beside each other are moved as one, which
   * takes OpenVINO half as long.
   */
  permute(name: string, shape: readonly number[], perm: readonly number[]): string {
    const runs: number[][] = [];
    for (const axis of perm.filter((axis) => shape[axis] !== 1)) {
      if (runs.at(-1)?.at(-1) === axis - 1) runs.at(-1)!.push(axis);
      else runs.push([axis]);
    }
    if (runs.length === perm.length) return this.transpose(name, perm);
    const result = perm.map((axis) => shape[axis]!);
    if (runs.length < 2) return this.reshape(name, result);
    const given = runs.toSorted(([a], [b]) => a! - b!);
    const joined = given.map((run) => sizeOf(run.map((axis) => shape[axis]!)));
    const order = runs.map((run) => given.indexOf(run));
    return this.reshape(this.transpose(this.reshape(name, joined), order), result);
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

/** What a target has besides rules. */
export interface LoweringOptions {
  /** Forms by kernel; they go before the rules. */
  readonly forms?: ReadonlyMap<string, Form>;
  /** Channels per block of the layout `blocked`; 0 where there is none. */
  readonly block?: number;
  /** For a model that other programs open: what they see of it. */
  readonly file?: ModelFile;
  /** Values that are outputs before all others; those that are none otherwise, under any name. */
  readonly early?: readonly number[];
  /**
   * Tells where large constants are in memory, which the model then says instead of holding them; they
   * must stay there until it is read, by this process.
   */
  readonly addressOf?: (data: Uint8Array) => bigint;
}

/** A program as an ONNX model. Inputs are named `in0`, `in1`, ..., outputs `out0`, `out1`, ... */
export function lower(
  program: Program,
  target: Target,
  rules: ReadonlyMap<string, KernelRule>,
  { forms, block = 0, file, early = [], addressOf }: LoweringOptions = {},
): Uint8Array<ArrayBuffer> {
  const lowering = new Lowering(program, target, block);
  const inputs = file?.inputs ?? program.inputs.map((_, i) => `in${i}`);
  const outputs = file?.outputs ?? program.outputs.map((_, i) => `out${i}`);
  program.inputs.forEach((id, i) => lowering.put(id, inputs[i]!));
  const write = (op: Op): void => {
    if (forms?.get(op.kernel)?.(op, lowering)) return;
    const parts: readonly Op[] | undefined = op.attributes["parts"]; // of a fused operation
    if (parts) parts.forEach(write);
    else ruleOf(op, rules, program.name).lower(op, lowering);
  };
  program.ops.forEach(write);
  program.outputs.forEach((id, i) => lowering.alias(lowering.get(id), outputs[i]!));
  const named = program.outputs.map((id, i) => ({ id, name: outputs[i]! }));
  const first = early.map((id) =>
    named.find((output) => output.id === id) ?? { id, name: lowering.get(id) }
  );
  const made = [...first, ...named.filter((output) => !first.includes(output))];
  const ports = (ids: readonly number[], names: readonly string[]) =>
    ids.map((id, i) => ({
      name: names[i]!,
      shape: program.values[id]!.shape,
      dtype: program.values[id]!.dtype as ElementType,
    }));
  return lowering.encode({
    name: program.name,
    inputs: ports(program.inputs, inputs),
    outputs: ports(made.map(({ id }) => id), made.map(({ name }) => name)),
    file,
    addressOf,
    ...target === "openvino" && { operators: SLOW_AT_OPENING },
    ordered: target === "onnxruntime",
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
