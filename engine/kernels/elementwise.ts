/** Element-wise kernels: one number in, one number out, with broadcasting. @module */
import type { Attributes, DType, Op } from "../program.ts";
import { broadcastShape, type KernelRule } from "../rule.ts";
import { channelsFirst, type Lowering } from "../lowering.ts";
import { cast, typedScalar } from "./typed.ts";

type Write = (
  l: Lowering,
  x: readonly string[],
  attributes: Attributes,
  dtype: DType,
) => string;

interface Options {
  /** Type of the result, if not that of the first operand. */
  readonly dtype?: DType;
  /** What the nodes take: all else is computed as the first of these, and converted back. */
  readonly takes?: readonly DType[];
  /** Whether the nodes give truth values, whatever they take. */
  readonly tests?: boolean;
}

/** Writes an operation in the layout that its operands are already in. */
export function elementwise(
  kernel: string,
  inputs: readonly string[] | "...",
  write: Write | string,
  { dtype, takes = ["float32"], tests = false }: Options = {},
): KernelRule {
  return {
    kernel,
    inputs,
    infer(types) {
      const shape = types.map((type) => type.shape).reduce(broadcastShape);
      return { shape, dtype: tests ? "bool" : dtype ?? types[0]!.dtype };
    },
    lower({ inputs: ids, attributes, outputs: [out] }: Op, l) {
      const rank = l.shape(out!).length;
      const layout = l.elementwiseLayout(ids, out!);
      const given = l.value(ids[0]!).dtype;
      const computed = takes.includes(given) ? given : takes[0]!;
      const operands = ids.map((id) =>
        cast(l, l.operand(id, layout, rank), l.value(id).dtype, computed)
      );
      const name = typeof write === "string"
        ? l.emit(write, operands)
        : write(l, operands, attributes, computed);
      const made = tests ? "bool" : computed;
      l.put(out!, cast(l, name, made, l.value(out!).dtype), layout);
    },
  };
}

/** Types of which ONNX's arithmetic is the machine's own. */
export const NUMBERS = { takes: ["float32", "int32"] } as const;
const TEST = { takes: ["float32", "int32"], tests: true } as const;

/** A kernel of one operand `x`. */
export function unary(kernel: string, write: Write | string, options?: Options): KernelRule {
  return elementwise(kernel, ["x"], write, options);
}
/** A kernel of two operands `a` and `b`. */
export function binary(kernel: string, write: Write | string, options?: Options): KernelRule {
  return elementwise(kernel, ["a", "b"], write, options);
}

/** 1 where x > 0, `alpha` elsewhere: the derivative of leaky ReLU, whatever x is at zero. */
function slope(l: Lowering, x: string, alpha: number): string {
  const positive = l.emit("Greater", [x, l.scalar(0)]);
  return l.emit("Where", [positive, l.scalar(1), l.scalar(alpha)]);
}

/** The same number everywhere, whatever the operand holds (a zero times NaN would not be zero). */
function uniform(kernel: string, number: number): KernelRule {
  return {
    kernel,
    inputs: ["x"],
    infer: ([x]) => x!,
    lower({ inputs: ids, outputs: [out] }, l) {
      const { shape, dtype } = l.value(out!);
      const layout = l.layoutOf(ids);
      const physical = layout === "channelsFirst" ? channelsFirst(shape) : shape;
      const scalar = typedScalar(l, number, dtype);
      l.put(out!, l.emit("Expand", [scalar, l.integers(physical)]), layout);
    },
  };
}

const castRule: KernelRule = {
  kernel: "Cast",
  inputs: ["x"],
  infer: ([x], { dtype }) => ({ shape: x!.shape, dtype }),
  lower({ inputs: ids, outputs: [out] }, l) {
    const layout = l.layoutOf(ids);
    const [from, to] = [l.value(ids[0]!).dtype, l.value(out!).dtype];
    l.put(out!, cast(l, l.get(ids[0]!, layout), from, to), layout);
  },
};

const selectRule: KernelRule = {
  kernel: "Select",
  inputs: ["condition", "t", "e"],
  infer: (types) => ({
    shape: types.map((type) => type.shape).reduce(broadcastShape),
    dtype: types[1]!.dtype,
  }),
  lower({ inputs: ids, outputs: [out] }, l) {
    const { shape: { length: rank }, dtype } = l.value(out!);
    const layout = rank === 4 ? l.layoutOf(ids) : "channelsLast";
    const types = ["bool", ...Array(2).fill(dtype === "bool" ? "int32" : dtype)] as const;
    const operands = ids.map((id, i) =>
      cast(l, l.operand(id, layout, rank), l.value(id).dtype, types[i]!)
    );
    l.put(out!, cast(l, l.emit("Where", operands), types[1]!, dtype), layout);
  },
};

/** ONNX's `Sum` adds floats only, and ONNX Runtime's WebGPU does not have it. */
const addN: Write = (l, [first, ...rest], _, dtype) =>
  dtype === "float32" && l.target !== "webgpu"
    ? l.emit("Sum", [first!, ...rest])
    : rest.reduce((sum, x) => l.emit("Add", [sum, x]), first!);

/** Rules of this family. */
export const elementwiseRules: readonly KernelRule[] = [
  binary("Add", "Add", NUMBERS),
  binary("Sub", "Sub", NUMBERS),
  binary("Multiply", "Mul", NUMBERS),
  binary("RealDiv", "Div"),
  binary("Maximum", "Max", NUMBERS),
  binary("Minimum", "Min", NUMBERS),
  binary("Pow", "Pow", NUMBERS),
  binary("SquaredDifference", (l, x) => {
    const difference = l.emit("Sub", x);
    return l.emit("Mul", [difference, difference]);
  }, NUMBERS),
  binary("Greater", "Greater", TEST),
  binary("GreaterEqual", "GreaterOrEqual", TEST),
  binary("Less", "Less", TEST),
  binary("LessEqual", "LessOrEqual", TEST),
  binary("Equal", "Equal", TEST),
  binary("NotEqual", (l, x) => l.emit("Not", [l.emit("Equal", x)]), TEST),
  binary("LogicalAnd", "And", { takes: ["bool"] }),
  binary("LogicalOr", "Or", { takes: ["bool"] }),
  unary("LogicalNot", "Not", { takes: ["bool"] }),
  elementwise("AddN", "...", addN, NUMBERS),
  selectRule,
  unary("Abs", "Abs", NUMBERS),
  unary("Neg", "Neg", NUMBERS),
  unary("Sign", "Sign", NUMBERS),
  unary("Exp", "Exp", { dtype: "float32" }),
  unary("Log", "Log"),
  unary("Sqrt", "Sqrt"),
  unary("Rsqrt", (l, [x]) => l.emit("Reciprocal", [l.emit("Sqrt", [x!])])),
  unary("Reciprocal", "Reciprocal"),
  unary("Square", (l, [x]) => l.emit("Mul", [x!, x!]), NUMBERS),
  unary("Sigmoid", "Sigmoid"),
  unary("Softplus", "Softplus"),
  unary("Tanh", "Tanh"),
  unary(
    "LeakyRelu",
    (l, x, { alpha }) => l.emit("LeakyRelu", x, { alpha: { float: alpha } }),
    { dtype: "float32" },
  ),
  unary("Step", (l, [x], { alpha }) => slope(l, x!, alpha)),
  elementwise(
    "LeakyReluGradient",
    ["dy", "x"],
    (l, [dy, x], { alpha }) => l.emit("Mul", [dy!, slope(l, x!, alpha)]),
  ),
  uniform("ZerosLike", 0),
  uniform("OnesLike", 1),
  castRule,
];
