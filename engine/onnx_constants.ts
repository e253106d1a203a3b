/**
 * Constants of an ONNX model that is written computed before, as some runtimes insist on for kernels and
 * OpenVINO is slow at, and stored in 16 bits.
 *
 * @module
 */

import { computeNode, type Known, knownConstant } from "./constant_nodes.ts";

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

/** A constant whose numbers are elsewhere. */
export interface OutsideConstant extends Omit<Constant, "rawData"> {
  readonly dataLocation: 1;
  readonly externalData: readonly { readonly key: string; readonly value: string }[];
}

interface Graph {
  readonly nodes: readonly Node[];
  readonly constants: readonly Constant[];
}

const FLOAT32 = 1; // numbers of ONNX's element types
const FLOAT16 = 10;
const LARGEST_HALF = 65504;
const WORTH_HALVING_BYTES = 256;
const WORTH_LEAVING_OUT_BYTES = 4096;

/** Operators that change the layout of what they are given and nothing else. */
export const LAYOUTS: readonly string[] = ["Transpose", "Reshape"];

/**
 * The same graph with the results of `operators` on constants of float32 instead of these nodes, except
 * where they are outputs.
 */
export function foldConstants(
  { nodes, constants }: Graph,
  operators: readonly string[],
  outputs: readonly string[],
): Graph {
  const known = new Map<string, Known>(
    constants.map((constant) => [constant.name, knownConstant(constant)]),
  );
  const made = new Map<string, Known>();
  const rest = nodes.filter((node) => {
    const kept = node.output.some((name) => outputs.includes(name));
    const result = kept ? undefined : computeNode({ known, operators }, node);
    if (!result) return true;
    known.set(node.output[0]!, result);
    made.set(node.output[0]!, result);
    return false;
  });
  const read = new Set(rest.flatMap(({ input }) => input));
  const computed = [...made].filter(([name]) => read.has(name)).map(([name, result]) => ({
    name,
    dims: result.dims,
    dataType: FLOAT32,
    rawData: result.bytes(),
  }));
  return { nodes: rest, constants: [...constants, ...computed] };
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

/**
 * A constant that says where in this process its numbers are, in the way in which ONNX Runtime hands
 * models to OpenVINO; small ones as they are.
 */
export function outside(
  constant: Constant,
  addressOf: (data: Uint8Array) => bigint,
): Constant | OutsideConstant {
  const { rawData, ...rest } = constant;
  if (rawData.length < WORTH_LEAVING_OUT_BYTES) return constant;
  const place = {
    location: "*/_ORT_MEM_ADDR_/*",
    offset: String(addressOf(rawData)),
    length: String(rawData.length),
  };
  const externalData = Object.entries(place).map(([key, value]) => ({ key, value }));
  return { ...rest, dataLocation: 1, externalData };
}
