/**
 * Builds ONNX models: nodes, constants and their encoding as protobuf.
 *
 * The descriptor below names only the fields of the ONNX format (onnx.proto3, IR version 8) that are
 * written here.
 *
 * @module
 */
import protobuf from "protobufjs";
import { neededNodes } from "./needed_nodes.ts";
import { orderNodes } from "./node_order.ts";
import {
  type Constant,
  foldConstants,
  halved,
  LAYOUTS,
  type Node,
  outside,
  type StoredAttribute,
} from "./onnx_constants.ts";

const field = (type: string, id: number, rule?: "repeated") => ({
  type,
  id,
  ...(rule && { rule }),
});

const onnx = protobuf.Root.fromJSON({
  nested: {
    onnx: {
      nested: {
        AttributeProto: {
          fields: {
            name: field("string", 1),
            f: field("float", 2),
            i: field("int64", 3),
            s: field("bytes", 4),
            floats: field("float", 7, "repeated"),
            ints: field("int64", 8, "repeated"),
            type: field("int32", 20),
          },
        },
        NodeProto: {
          fields: {
            input: field("string", 1, "repeated"),
            output: field("string", 2, "repeated"),
            name: field("string", 3),
            opType: field("string", 4),
            domain: field("string", 7),
            attribute: field("AttributeProto", 5, "repeated"),
          },
        },
        TensorProto: {
          fields: {
            dims: field("int64", 1, "repeated"),
            dataType: field("int32", 2),
            name: field("string", 8),
            rawData: field("bytes", 9),
            externalData: field("StringStringEntryProto", 13, "repeated"),
            dataLocation: field("int32", 14),
          },
        },
        Dimension: { fields: { dimValue: field("int64", 1), dimParam: field("string", 2) } },
        TensorShapeProto: { fields: { dim: field("Dimension", 1, "repeated") } },
        TensorType: {
          fields: { elemType: field("int32", 1), shape: field("TensorShapeProto", 2) },
        },
        TypeProto: { fields: { tensorType: field("TensorType", 1) } },
        ValueInfoProto: { fields: { name: field("string", 1), type: field("TypeProto", 2) } },
        StringStringEntryProto: { fields: { key: field("string", 1), value: field("string", 2) } },
        GraphProto: {
          fields: {
            node: field("NodeProto", 1, "repeated"),
            name: field("string", 2),
            initializer: field("TensorProto", 5, "repeated"),
            input: field("ValueInfoProto", 11, "repeated"),
            output: field("ValueInfoProto", 12, "repeated"),
          },
        },
        OperatorSetIdProto: { fields: { domain: field("string", 1), version: field("int64", 2) } },
        ModelProto: {
          fields: {
            irVersion: field("int64", 1),
            producerName: field("string", 2),
            graph: field("GraphProto", 7),
            opsetImport: field("OperatorSetIdProto", 8, "repeated"),
            metadataProps: field("StringStringEntryProto", 14, "repeated"),
          },
        },
      },
    },
  },
});

/** Element types by their ONNX numbers. */
export const ELEMENT_TYPES: Readonly<Record<ElementType, number>> = {
  float32: 1,
  int32: 6,
  int64: 7,
  bool: 9,
};
/** Element types of the graph. */
export type ElementType = "float32" | "int32" | "int64" | "bool";

/** Attribute of a node; numbers are written as integers unless wrapped as `{ float }`, `{ floats }`. */
export type NodeAttribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] };

/** A tensor at the border of the graph. */
export interface Port {
  /** Name in the graph. */
  readonly name: string;
  /** Sizes of the axes. */
  readonly shape: readonly number[];
  /** Type of the numbers. */
  readonly dtype: ElementType;
}

/** What other programs see of a model; layouts of its constants are changed here, not by them. */
export interface ModelFile {
  /** Names of the inputs, in order. */
  readonly inputs: readonly string[];
  /** Names of the outputs, in order. */
  readonly outputs: readonly string[];
  /** Whether constants are stored in 16 bits where these can hold them; opening widens them. */
  readonly half?: boolean;
  /** Texts to keep in the file. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Collects nodes and constants. */
export class GraphBuilder {
  readonly #nodes: Node[] = [];
  readonly #constants: Constant[] = [];
  readonly #integers = new Map<string, string>();
  readonly #scalars = new Map<number, string>();
  readonly #domains = new Set<string>();
  #count = 0;

  #name(prefix: string): string {
    return `${prefix}_${this.#count++}`;
  }

  /** Adds a node, `Operator` or `domain/Operator`, and returns the name of its first output. */
  emit(type: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.emitMany(type, inputs, attributes, 1)[0]!;
  }

  /** Adds a node of several outputs. */
  emitMany(
    type: string,
    inputs: readonly string[],
    attributes: Attributes,
    count: number,
  ): string[] {
    const [opType, domain = ""] = type.split("/").reverse() as [string, string?];
    if (domain) this.#domains.add(domain);
    const output = Array.from({ length: count }, () => this.#name(opType)) as [string, ...string[]];
    const attribute = Object.entries(attributes).map(([name, value]) => encode(name, value));
    this.#nodes.push({ opType, domain, input: [...inputs], output, name: output[0], attribute });
    return output;
  }

  /** Gives an existing value a name of its own, for an output of the graph. */
  alias(from: string, name: string): void {
    this.#nodes.push({
      opType: "Identity",
      domain: "",
      input: [from],
      output: [name],
      name,
      attribute: [],
    });
  }

  /** A constant tensor. */
  constant(data: ArrayBufferView, shape: readonly number[], dtype: ElementType): string {
    const name = this.#name("constant");
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.#constants.push({ name, dims: [...shape], dataType: ELEMENT_TYPES[dtype], rawData });
    return name;
  }

  /** A list of int64, as shapes and axes are given to operators. */
  integers(values: readonly number[]): string {
    const key = values.join();
    let name = this.#integers.get(key);
    if (!name) {
      name = this.constant(BigInt64Array.from(values.map(BigInt)), [values.length], "int64");
      this.#integers.set(key, name);
    }
    return name;
  }

  /** A float32 scalar. */
  scalar(value: number): string {
    let name = this.#scalars.get(value);
    if (!name) {
      name = this.constant(Float32Array.of(value), [], "float32");
      this.#scalars.set(value, name);
    }
    return name;
  }

  /** Number of nodes so far. */
  get size(): number {
    return this.#nodes.length;
  }

  /** The model as bytes. */
  encode(
    {
      name,
      inputs,
      outputs,
      opset = 17,
      ordered = false,
      file,
      operators = file ? LAYOUTS : [],
      addressOf,
    }: {
      readonly name: string;
      readonly inputs: readonly Port[];
      readonly outputs: readonly Port[];
      readonly opset?: number;
      readonly ordered?: boolean;
      readonly file?: Pick<ModelFile, "half" | "metadata"> | undefined;
      /** Operators whose results on constants are computed now. */
      readonly operators?: readonly string[];
      readonly addressOf?: ((data: Uint8Array) => bigint) | undefined;
    },
  ): Uint8Array<ArrayBuffer> {
    const model = onnx.lookupType("onnx.ModelProto");
    const results = outputs.map(({ name }) => name);
    const needed = neededNodes(this.#nodes, results);
    const whole = {
      nodes: ordered ? orderNodes(needed) : needed,
      constants: this.#constants,
    };
    const { nodes, constants } = operators.length
      ? foldConstants(whole, operators, results)
      : whole;
    const read = new Set(nodes.flatMap(({ input }) => input));
    const stored = constants.filter(({ name }) => read.has(name))
      .map((constant) => file?.half ? halved(constant) : { constant });
    const message = model.create({
      irVersion: 8,
      producerName: "haarlem",
      opsetImport: [
        { domain: "", version: opset },
        ...[...this.#domains].map((domain) => ({ domain, version: 1 })),
      ],
      metadataProps: Object.entries(file?.metadata ?? {}).map(([key, value]) => ({ key, value })),
      graph: {
        name,
        node: [...stored.flatMap(({ widen }) => widen ?? []), ...nodes],
        initializer: stored.map(({ constant }) =>
          addressOf ? outside(constant, addressOf) : constant
        ),
        input: inputs.map(valueInfo),
        output: outputs.map(valueInfo),
      },
    });
    return model.encode(message).finish() as Uint8Array<ArrayBuffer>;
  }
}

/** Attributes of a node by name. */
export type Attributes = Readonly<Record<string, NodeAttribute>>;

function encode(name: string, value: NodeAttribute): StoredAttribute {
  if (typeof value === "number") return { name, i: value, type: 2 };
  if (typeof value === "string") return { name, s: new TextEncoder().encode(value), type: 3 };
  if ("float" in value) return { name, f: value.float, type: 1 };
  if ("floats" in value) return { name, floats: value.floats, type: 6 };
  return { name, ints: [...value], type: 7 };
}

function valueInfo({ name, shape, dtype }: Port): object {
  const dim = shape.map((size) => ({ dimValue: size }));
  return { name, type: { tensorType: { elemType: ELEMENT_TYPES[dtype], shape: { dim } } } };
}
