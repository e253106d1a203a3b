/** Element-wise kernels: one number in, one number out, with broadcasting. @module */
import type { Attributes, DType, Op } from "../program.ts";
import { broadcastShape, type KernelRule } from "../rule.ts";
import type { Lowering } from "../lowering.ts";

type Write = (l: Lowering, x: readonly string[], attributes: Attributes) => string;

/** Writes an operation in the layout that its operands are already in. */
function elementwise(
  kernel: string,
  inputs: readonly string[] | "...",
  write: Write | string,
  dtype?: DType | ((attributes: Attributes) => DType),
): KernelRule {
  return {
    kernel,
    inputs,
    infer(types, attributes) {
      const shape = types.map((type) => type.shape)
        .reduce((a, b) => broadcastShape(kernel, a, b));
      const made = typeof dtype === "function" ? dtype(attributes) : dtype;
      return { shape, dtype: made ?? types[kernel === "Select" ? 1 : 0]!.dtype };
    },
    lower({ inputs: ids, attributes, outputs: [out] }: Op, l) {
      const rank = l.shape(out!).length;
      const layout = rank === 4 ? l.layoutOf(ids) : "channelsLast";
      const operands = ids.map((id) => l.operand(id, layout, rank));
      const name = typeof write === "string"
        ? l.emit(write, operands)
        : write(l, operands, attributes);
      l.put(out!, name, layout);
    },
  };
}

const unary = (kernel: string, write: Write | string, dtype?: DType) =>
  elementwise(kernel, ["x"], write, dtype);
const binary = (kernel: string, write: Write | string, dtype?: DType) =>
  elementwise(kernel, ["a", "b"], write, dtype);

/** 1 where x > 0, `alpha` elsewhere: the derivative of leaky ReLU, whatever x is at zero. */
function slope(l: Lowering, x: string, alpha: number): string {
  const positive = l.emit("Greater", [x, l.scalar(0)]);
  return l.emit("Where", [positive, l.scalar(1), l.scalar(alpha)]);
}

const CAST = { float32: 1, int32: 6, bool: 9 } as const;

/** Rules of this family. */
export const elementwiseRules: readonly KernelRule[] = [
  binary("Add", "Add"),
  binary("AddV2", "Add"),
  binary("Sub", "Sub"),
  binary("Multiply", "Mul"),
  binary("RealDiv", "Div", "float32"),
  binary("Maximum", "Max"),
  binary("Minimum", "Min"),
  binary("Pow", "Pow"),
  binary("SquaredDifference", (l, x) => {
    const difference = l.emit("Sub", x);
    return l.emit("Mul", [difference, difference]);
  }),
  binary("Greater", "Greater", "bool"),
  binary("GreaterEqual", "GreaterOrEqual", "bool"),
  binary("Less", "Less", "bool"),
  binary("LessEqual", "LessOrEqual", "bool"),
  binary("Equal", "Equal", "bool"),
  binary("NotEqual", (l, x) => l.emit("Not", [l.emit("Equal", x)]), "bool"),
  binary("LogicalAnd", "And", "bool"),
  binary("LogicalOr", "Or", "bool"),
  unary("LogicalNot", "Not", "bool"),
  elementwise("AddN", "...", "Sum"),
  elementwise("Select", ["condition", "t", "e"], "Where"),
  unary("Abs", "Abs"),
  unary("Neg", "Neg"),
  unary("Sign", "Sign"),
  unary("Exp", "Exp"),
  unary("Log", "Log"),
  unary("Sqrt", "Sqrt"),
  unary("Rsqrt", (l, [x]) => l.emit("Reciprocal", [l.emit("Sqrt", [x!])])),
  unary("Reciprocal", "Reciprocal"),
  unary("Square", (l, [x]) => l.emit("Mul", [x!, x!])),
  unary("Sigmoid", "Sigmoid"),
  unary("Softplus", "Softplus"),
  unary("Tanh", "Tanh"),
  unary("LeakyRelu", (l, x, { alpha }) => l.emit("LeakyRelu", x, { alpha: { float: alpha } })),
  unary("Step", (l, [x], { alpha }) => slope(l, x!, alpha)),
  elementwise(
    "LeakyReluGradient",
    ["dy", "x"],
    (l, [dy, x], { alpha }) => l.emit("Mul", [dy!, slope(l, x!, alpha)]),
  ),
  unary("ZerosLike", (l, [x]) => l.emit("Mul", [x!, l.scalar(0)])),
  unary("OnesLike", (l, [x]) => l.emit("Add", [l.emit("Mul", [x!, l.scalar(0)]), l.scalar(1)])),
  elementwise(
    "Cast",
    ["x"],
    (l, x, { dtype }) => l.emit("Cast", x, { to: CAST[dtype as DType] }),
    ({ dtype }) => dtype,
  ),
];
