/**
 * Nodes of an ONNX model that are computed while it is written, where their inputs are constants.
 *
 * @module
 */
import type { Constant, Node } from "./onnx_constants.ts";

/** Numbers with their shape. */
interface Floats {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** Numbers in another order: `sizes` of the axes, and how far apart their numbers lie in the data. */
interface View {
  readonly sizes: readonly number[];
  readonly steps: readonly number[];
  readonly start?: number;
}

type Compute = (input: Floats, node: Node, rest: readonly Constant[]) => Floats | undefined;

const FLOAT32 = 1; // numbers of ONNX's element types
const FEWEST = 64; // numbers in the inner loop of a copy
const TILE = 128; // rows and columns of a copy whose lines of memory stay in the caches

const COMPUTE: Readonly<Record<string, Compute>> = {
  Transpose(input, { attribute }) {
    const perm = attribute.find(({ name }) => name === "perm")?.ints;
    return perm && transposed(input, perm);
  },
  Reshape({ data }, _, [shape]) {
    const dims = shape && integersOf(shape);
    return dims?.every((size) => size > 0) ? { dims, data } : undefined;
  },
  Slice({ dims, data }, _, given) {
    const [starts, ends, axes, by] = given.map(integersOf);
    if (!starts || !ends || !axes) return undefined;
    const steps = strides(dims);
    const sizes = [...dims];
    let start = 0;
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
      start += place(starts[i]!) * steps[axis]!;
      steps[axis]! *= step;
    });
    return { dims: sizes, data: copied(data, { sizes, steps, start }) };
  },
  Mul(a, _, [other]) {
    const b = other?.dataType === FLOAT32 ? floatsOf(other) : undefined;
    if (!b || b.dims.length > 0 && b.dims.join() !== a.dims.join()) return undefined;
    return { dims: a.dims, data: product(a.data, b.dims.length ? b.data : b.data[0]!) };
  },
  ReduceSum(input, { attribute }, [list]) {
    const keeps = attribute.find(({ name }) => name === "keepdims")?.i !== 0;
    const axes = list && integersOf(list);
    if (!axes?.every((axis) => axis >= 0)) return undefined;
    const kept = [...input.dims.keys()].filter((axis) => !axes.includes(axis));
    const { data } = transposed(input, [...axes, ...kept]);
    const dims = input.dims.map((size, axis) => axes.includes(axis) ? 1 : size);
    const sums = new Float64Array(dims.reduce((size, n) => size * n, 1));
    const count = sums.length;
    for (let i = 0; i < data.length; i += count) {
      for (let k = 0; k < count; k++) sums[k]! += data[i + k]!;
    }
    const left = keeps ? dims : kept.map((axis) => input.dims[axis]!);
    return { dims: left, data: Float32Array.from(sums) };
  },
};

/**
 * The result of a node whose inputs are all known, if its operator is one of `operators` and its first
 * input is float32.
 */
export function computeNode(
  { known, operators }: {
    readonly known: ReadonlyMap<string, Constant>;
    readonly operators: readonly string[];
  },
  node: Node,
): Constant | undefined {
  const compute = operators.includes(node.opType) ? COMPUTE[node.opType] : undefined;
  const [first, ...rest] = node.input.map((name) => known.get(name));
  if (!compute || first?.dataType !== FLOAT32 || !rest.every((each) => each)) return undefined;
  const made = compute(floatsOf(first), node, rest as Constant[]);
  return made && {
    name: node.output[0]!,
    dims: made.dims,
    dataType: FLOAT32,
    rawData: new Uint8Array(made.data.buffer, made.data.byteOffset, made.data.byteLength),
  };
}

function floatsOf({ dims, rawData }: Constant): Floats {
  const { buffer, byteOffset, length } = rawData.byteOffset % 4 ? rawData.slice() : rawData;
  return { dims, data: new Float32Array(buffer, byteOffset, length / 4) };
}

function integersOf({ rawData }: Constant): number[] {
  return Array.from(new BigInt64Array(rawData.slice().buffer), Number);
}

function strides(dims: readonly number[]): number[] {
  return dims.map((_, axis) => dims.slice(axis + 1).reduce((size, n) => size * n, 1));
}

function transposed({ dims, data }: Floats, perm: readonly number[]): Floats {
  const sizes = perm.map((axis) => dims[axis]!);
  const every = strides(dims);
  if (perm.every((axis, i) => axis === i)) return { dims, data };
  return { dims: sizes, data: copied(data, { sizes, steps: perm.map((axis) => every[axis]!) }) };
}

/** The places of a view's numbers in the data, in order. */
function placesOf({ sizes, steps, start = 0 }: View): Int32Array {
  const places = new Int32Array(sizes.reduce((size, n) => size * n, 1));
  const place = sizes.map(() => 0);
  for (let i = 0, at = start; i < places.length; i++) {
    places[i] = at;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      at += steps[axis]!;
      if (++place[axis]! < sizes[axis]!) break;
      at -= steps[axis]! * sizes[axis]!;
      place[axis] = 0;
    }
  }
  return places;
}

function product(a: Float32Array, b: Float32Array | number): Float32Array {
  const size = a.length;
  const made = new Float32Array(size);
  if (typeof b === "number") {
    for (let i = 0; i < size; i++) made[i] = a[i]! * b;
  } else {
    for (let i = 0; i < size; i++) made[i] = a[i]! * b[i]!;
  }
  return made;
}

/**
 * The numbers of a view, tile by tile, as neighbours in the data may be far apart in the view. The places
 * of the last axes are worked out once.
 */
function copied(data: Float32Array, { sizes, steps, start = 0 }: View): Float32Array {
  let axis = sizes.length;
  while (axis > 0 && sizes.slice(axis).reduce((size, n) => size * n, 1) < FEWEST) axis--;
  const inner = placesOf({ sizes: sizes.slice(axis), steps: steps.slice(axis) });
  const outer = placesOf({ sizes: sizes.slice(0, axis), steps: steps.slice(0, axis), start });
  const [rows, columns] = [outer.length, inner.length];
  const to = new Float32Array(rows * columns);
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
