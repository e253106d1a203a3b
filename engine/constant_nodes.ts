/**
 * Nodes of an ONNX model that are computed while it is written, where their inputs are constants.
 *
 * @module
 */
import type { Constant, Node } from "./onnx_constants.ts";

/** Numbers of an array in some order, or their squares: axis i has `dims[i]` of them, `steps[i]` apart. */
interface View {
  readonly data: Float32Array;
  readonly dims: readonly number[];
  readonly steps: readonly number[];
  readonly start: number;
  readonly squared?: boolean;
}

/** A constant, copied only when somebody asks for its numbers in their order. */
export interface Known {
  readonly dims: readonly number[];
  /** Absent: not float32. */
  readonly view?: View;
  /** The bytes of its numbers in their order. */
  bytes(): Uint8Array;
}

type Compute = (input: View, node: Node, rest: readonly Known[]) => View | undefined;

const FLOAT32 = 1; // numbers of ONNX's element types
const FEWEST = 64; // numbers in the inner loop of a copy
const TILE = 128; // rows and columns of a copy whose lines of memory stay in the caches

const COMPUTE: Readonly<Record<string, Compute>> = {
  Transpose(input, { attribute }) {
    const perm = attribute.find(({ name }) => name === "perm")?.ints;
    return perm && transposed(input, perm);
  },
  Reshape(input, _, [shape]) {
    const dims = shape && integersOf(shape);
    return dims?.every((size) => size > 0) ? reshaped(input, dims) : undefined;
  },
  Slice({ dims, steps, start, ...rest }, _, given) {
    const [starts, ends, axes, by] = given.map(integersOf);
    if (!starts || !ends || !axes) return undefined;
    const [sizes, apart] = [[...dims], [...steps]];
    let first = start;
    axes.forEach((axis, i) => {
      const size = dims[axis]!;
      const step = by?.[i] ?? 1;
      const place = (n: number) => {
        const from = n < 0 ? n + size : n;
        return step > 0
          ? Math.min(Math.max(from, 0), size)
          : Math.min(Math.max(from, -1), size - 1);
      };
      sizes[axis] = Math.max(0, Math.ceil((place(ends[i]!) - place(starts[i]!)) / step));
      first += place(starts[i]!) * steps[axis]!;
      apart[axis]! *= step;
    });
    return { ...rest, dims: sizes, steps: apart, start: first };
  },
  Mul(a, _, [other]) {
    const b = other?.view;
    if (!b || b.dims.length > 0 && b.dims.join() !== a.dims.join()) return undefined;
    if (b === a && !a.squared) return { ...a, squared: true };
    const numbers = numbersOf(a);
    const data = b.dims.length > 0
      ? product(numbers, numbersOf(b))
      : scaled(numbers, numbersOf(b)[0]!);
    return inOrder(data, a.dims);
  },
  ReduceSum(input, { attribute }, [list]) {
    const keeps = attribute.find(({ name }) => name === "keepdims")?.i !== 0;
    const axes = list && integersOf(list);
    if (!axes?.every((axis) => axis >= 0)) return undefined;
    const kept = [...input.dims.keys()].filter((axis) => !axes.includes(axis));
    const { squared, ...view } = transposed(input, [...axes, ...kept]);
    const dims = input.dims.map((size, axis) => axes.includes(axis) ? 1 : size);
    const add = squared ? sumsOfSquares : sums;
    const data = add(numbersOf(view), countOf(dims));
    return inOrder(data, keeps ? dims : kept.map((axis) => input.dims[axis]!));
  },
};

/** What is known of a constant of the model. */
export function knownConstant({ dims, dataType, rawData }: Constant): Known {
  const bytes = () => rawData;
  if (dataType !== FLOAT32) return { dims, bytes };
  const { buffer, byteOffset, length } = rawData.byteOffset % 4 ? rawData.slice() : rawData;
  return { dims, bytes, view: inOrder(new Float32Array(buffer, byteOffset, length / 4), dims) };
}

/**
 * The result of a node whose inputs are all known, if its operator is one of `operators` and its first
 * input is float32.
 */
export function computeNode(
  { known, operators }: {
    readonly known: ReadonlyMap<string, Known>;
    readonly operators: readonly string[];
  },
  node: Node,
): Known | undefined {
  const compute = operators.includes(node.opType) ? COMPUTE[node.opType] : undefined;
  const [first, ...rest] = node.input.map((name) => known.get(name));
  if (!compute || !first?.view || !rest.every((each) => each)) return undefined;
  const view = compute(first.view, node, rest as Known[]);
  return view && {
    dims: view.dims,
    view,
    bytes() {
      const { buffer, byteOffset, byteLength } = numbersOf(view);
      return new Uint8Array(buffer, byteOffset, byteLength);
    },
  };
}

function integersOf(known: Known): number[] {
  return Array.from(new BigInt64Array(known.bytes().slice().buffer), Number);
}

const countOf = (dims: readonly number[]): number => dims.reduce((size, n) => size * n, 1);

function strides(dims: readonly number[]): number[] {
  return dims.map((_, axis) => countOf(dims.slice(axis + 1)));
}

function inOrder(data: Float32Array, dims: readonly number[]): View {
  return { data, dims, steps: strides(dims), start: 0 };
}

function transposed({ dims, steps, ...rest }: View, perm: readonly number[]): View {
  return {
    ...rest,
    dims: perm.map((axis) => dims[axis]!),
    steps: perm.map((axis) => steps[axis]!),
  };
}

/** The numbers in the same order in another shape: without a copy where axes only join or split. */
function reshaped(view: View, dims: readonly number[]): View {
  const runs = runsOf(view);
  const steps: number[] = [];
  let { size, step } = runs.pop() ?? { size: 1, step: 1 };
  for (const n of dims.toReversed()) {
    if (size === 1 && runs.length > 0) ({ size, step } = runs.pop()!);
    if (size % n !== 0) return inOrder(numbersOf(view), dims);
    steps.unshift(step);
    step *= n;
    size /= n;
  }
  return { ...view, dims, steps };
}

/** The fewest axes of a view: neighbours whose numbers follow each other as those of one axis. */
function runsOf({ dims, steps }: View): { readonly size: number; readonly step: number }[] {
  const runs: { size: number; step: number }[] = [];
  dims.forEach((size, axis) => {
    if (size === 1) return;
    const step = steps[axis]!;
    const last = runs.at(-1);
    if (last?.step === size * step) Object.assign(last, { size: last.size * size, step });
    else runs.push({ size, step });
  });
  return runs;
}

/** The places of numbers in the data, in order. */
function placesOf(
  dims: readonly number[],
  steps: readonly number[],
  start: number,
): Int32Array {
  const places = new Int32Array(countOf(dims));
  const place = dims.map(() => 0);
  for (let i = 0, at = start; i < places.length; i++) {
    places[i] = at;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      at += steps[axis]!;
      if (++place[axis]! < dims[axis]!) break;
      at -= steps[axis]! * dims[axis]!;
      place[axis] = 0;
    }
  }
  return places;
}

// A function for every loop: V8 does not compile a loop while it runs for the first time, and takes 150 ns
// for a number, if the function has been compiled for its other loop.

function scaled(a: Float32Array, factor: number): Float32Array {
  const size = a.length;
  const made = new Float32Array(size);
  for (let i = 0; i < size; i++) made[i] = a[i]! * factor;
  return made;
}

function product(a: Float32Array, b: Float32Array): Float32Array {
  const size = a.length;
  const made = new Float32Array(size);
  for (let i = 0; i < size; i++) made[i] = a[i]! * b[i]!;
  return made;
}

/** Sums of every number with those that are a multiple of `count` after it. */
function sums(numbers: Float32Array, count: number): Float32Array {
  const sums = new Float64Array(count);
  for (let i = 0; i < numbers.length; i += count) {
    for (let k = 0; k < count; k++) sums[k]! += numbers[i + k]!;
  }
  return new Float32Array(sums);
}

function sumsOfSquares(numbers: Float32Array, count: number): Float32Array {
  const sums = new Float64Array(count);
  for (let i = 0; i < numbers.length; i += count) {
    for (let k = 0; k < count; k++) sums[k]! += numbers[i + k]! * numbers[i + k]!;
  }
  return new Float32Array(sums);
}

/**
 * The numbers of a view in their order, tile by tile, as neighbours in the data may be far apart in the
 * view. The places of the last axes are worked out once.
 */
function numbersOf({ squared, ...view }: View): Float32Array {
  if (squared) {
    const numbers = numbersOf(view);
    return product(numbers, numbers);
  }
  const { data, dims, steps, start } = view;
  const [run, more] = runsOf(view);
  const count = countOf(dims);
  if (count === data.length && !more && (run?.step ?? 1) === 1) return data;
  let axis = dims.length;
  while (axis > 0 && countOf(dims.slice(axis)) < FEWEST) axis--;
  const inner = placesOf(dims.slice(axis), steps.slice(axis), 0);
  const outer = placesOf(dims.slice(0, axis), steps.slice(0, axis), start);
  const [rows, columns] = [outer.length, inner.length];
  const to = new Float32Array(count);
  for (let top = 0; top < rows; top += TILE) {
    for (let left = 0; left < columns; left += TILE) {
      const [bottom, right] = [Math.min(top + TILE, rows), Math.min(left + TILE, columns)];
      for (let row = top; row < bottom; row++) {
        const [first, base] = [outer[row]!, row * columns];
        for (let k = left; k < right; k++) to[base + k] = data[first + inner[k]!]!;
      }
    }
  }
  return to;
}
