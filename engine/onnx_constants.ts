/**
 * Constants of an ONNX model that is written for other programs: stored in 16 bits, and in the layout
 * in which they are read, which some runtimes insist on for kernels.
 *
 * @module
 */

/** An attribute as ONNX stores it: `type` says which of the others is set. */
export interface StoredAttribute {
  readonly name: string;
  readonly type: number;
  readonly i?: number;
  readonly f?: number;
  readonly s?: Uint8Array;
  readonly ints?: readonly number[];
  readonly floats?: readonly number[];
}

/** A node as ONNX stores it. */
export interface Node {
  readonly opType: string;
  readonly domain: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly name: string;
  readonly attribute: readonly StoredAttribute[];
}

/** A constant as ONNX stores it. */
export interface Constant {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly rawData: Uint8Array;
}

interface Graph {
  readonly nodes: readonly Node[];
  readonly constants: readonly Constant[];
}

const FLOAT32 = 1; // numbers of ONNX's element types
const FLOAT16 = 10;
const LARGEST_HALF = 65504;
const WORTH_HALVING_BYTES = 256;

/** The same graph without layout operations on float32 constants, and without constants unused. */
export function foldConstantLayouts({ nodes, constants }: Graph): Graph {
  const known = new Map(constants.map((constant) => [constant.name, constant]));
  const rest = nodes.filter((node) => {
    const made = folded(node, known);
    if (made) known.set(made.name, made);
    return !made;
  });
  const used = new Set(rest.flatMap(({ input }) => input));
  return { nodes: rest, constants: [...known.values()].filter(({ name }) => used.has(name)) };
}

function folded(node: Node, known: ReadonlyMap<string, Constant>): Constant | undefined {
  const [input, shape] = node.input.map((name) => known.get(name));
  if (input?.dataType !== FLOAT32) return undefined;
  const name = node.output[0]!;
  if (node.opType === "Transpose") {
    const perm = node.attribute.find((attribute) => attribute.name === "perm")?.ints;
    return perm && { ...input, name, ...transposed(input, perm) };
  }
  if (node.opType !== "Reshape" || !shape) return undefined;
  const sizes = Array.from(new BigInt64Array(shape.rawData.slice().buffer), Number);
  return sizes.every((size) => size > 0) ? { ...input, name, dims: sizes } : undefined;
}

function transposed({ dims, rawData }: Constant, perm: readonly number[]) {
  const from = new Float32Array(rawData.slice().buffer);
  const to = new Float32Array(from.length);
  const sizes = perm.map((axis) => dims[axis]!);
  const steps = perm.map((axis) => dims.slice(axis + 1).reduce((a, b) => a * b, 1));
  const place = sizes.map(() => 0);
  for (let i = 0, at = 0; i < to.length; i++) {
    to[i] = from[at]!;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      at += steps[axis]!;
      if (++place[axis]! < sizes[axis]!) break;
      at -= steps[axis]! * sizes[axis]!;
      place[axis] = 0;
    }
  }
  return { dims: sizes, rawData: new Uint8Array(to.buffer) };
}

/** A constant of float32 in 16 bits, and the node that widens it again; others as they are. */
export function halved(
  constant: Constant,
): { readonly constant: Constant; readonly widen?: Node } {
  const { name, dataType, rawData } = constant;
  if (dataType !== FLOAT32 || rawData.length < WORTH_HALVING_BYTES) return { constant };
  const numbers = new Float32Array(rawData.slice().buffer);
  if (numbers.some((number) => Math.abs(number) > LARGEST_HALF)) return { constant };
  const half = `${name}_half`;
  return {
    constant: {
      ...constant,
      name: half,
      dataType: FLOAT16,
      rawData: new Uint8Array(new Float16Array(numbers).buffer),
    },
    widen: {
      opType: "Cast",
      domain: "",
      input: [half],
      output: [name],
      name,
      attribute: [{ name: "to", i: FLOAT32, type: 2 }],
    },
  };
}
