/** Trigonometry, logarithms, rounding and division with remainder. @module */
import type { Lowering } from "../lowering.ts";
import type { Attributes, DType } from "../program.ts";
import type { KernelRule } from "../rule.ts";
import { binary, NUMBERS, unary } from "./elementwise.ts";

/** exp(x) - 1, exact near 0 too: there by tanh(x/2) = expm1(x) / (expm1(x) + 2). */
function expm1(l: Lowering, x: string): string {
  const half = l.emit("Tanh", [l.emit("Mul", [x, l.scalar(0.5)])]);
  const near = l.emit("Div", [
    l.emit("Mul", [half, l.scalar(2)]),
    l.emit("Sub", [l.scalar(1), half]),
  ]);
  const far = l.emit("Sub", [l.emit("Exp", [x]), l.scalar(1)]);
  return l.emit("Where", [l.emit("Less", [l.emit("Abs", [x]), l.scalar(0.5)]), near, far]);
}

/** log(1 + x), exact near 0 too: there the rounding of 1 + x is undone (Kahan). */
function log1p(l: Lowering, x: string): string {
  const sum = l.emit("Add", [x, l.scalar(1)]);
  const log = l.emit("Log", [sum]);
  const near = l.target === "webgpu" ? log1pSeries(l, x) : kahan(l, x, sum, log);
  return l.emit("Where", [l.emit("Less", [l.emit("Abs", [x]), l.scalar(0.5)]), near, log]);
}

function kahan(l: Lowering, x: string, sum: string, log: string): string {
  const ratio = l.emit("Div", [x, l.emit("Sub", [sum, l.scalar(1)])]);
  const tiny = l.emit("Equal", [sum, l.scalar(1)]);
  return l.emit("Where", [tiny, x, l.emit("Mul", [log, ratio])]);
}

/** 2 atanh(s) of s = x / (x + 2), by its series: a GPU's logarithms near 1 are within 2^-21 only. */
function log1pSeries(l: Lowering, x: string): string {
  const s = l.emit("Div", [x, l.emit("Add", [x, l.scalar(2)])]);
  const square = l.emit("Mul", [s, s]);
  let sum = l.scalar(2 / 15); // |x| < 0.5: the next term is under 1e-8 of the whole
  for (const odd of [13, 11, 9, 7, 5, 3, 1]) {
    sum = l.emit("Add", [l.emit("Mul", [sum, square]), l.scalar(2 / odd)]);
  }
  return l.emit("Mul", [sum, s]);
}

/** The angle of the point (x, y) in (-pi, pi]. */
function atan2(l: Lowering, y: string, x: string): string {
  const zero = l.scalar(0);
  const right = l.emit("Atan", [l.emit("Div", [y, x])]);
  const down = l.emit("Less", [y, zero]);
  const turn = l.emit("Where", [down, l.scalar(-Math.PI), l.scalar(Math.PI)]);
  const left = l.emit("Add", [right, turn]);
  const upright = l.emit("Mul", [l.emit("Sign", [y]), l.scalar(Math.PI / 2)]);
  const sided = l.emit("Where", [l.emit("Less", [x, zero]), left, right]);
  return l.emit("Where", [l.emit("Equal", [x, zero]), upright, sided]);
}

/* Integers are divided in double precision: exact, and a division by zero among integers would end
 * the process. */
const DOUBLE = 11;
const INT32 = 6;
type Divide = (l: Lowering, a: string, b: string, zero: string) => string;

const divided = (divide: Divide) =>
(
  l: Lowering,
  [a, b]: readonly string[],
  _: Attributes,
  dtype: DType,
): string => {
  if (dtype === "float32") return divide(l, a!, b!, l.scalar(0));
  const [x, y, zero] = [a!, b!, l.scalar(0)].map((each) => l.emit("Cast", [each], { to: DOUBLE }));
  return l.emit("Cast", [divide(l, x!, y!, zero!)], { to: INT32 });
};

const floorDiv: Divide = (l, a, b) => l.emit("Floor", [l.emit("Div", [a, b])]);

/** The remainder with the sign of the divisor. */
const mod: Divide = (l, a, b, zero) => {
  const remainder = l.emit("Mod", [a, b], { fmod: 1 });
  const moved = l.emit("Mod", [l.emit("Add", [remainder, b]), b], { fmod: 1 });
  const opposite = l.emit("Xor", [l.emit("Less", [a, zero]), l.emit("Less", [b, zero])]);
  return l.emit("Where", [opposite, moved, remainder]);
};

const TEST = { tests: true } as const;

/** Rules of this family. */
export const mathsRules: readonly KernelRule[] = [
  ...["Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Cos", "Cosh", "Sin", "Sinh", "Tan"]
    .map((kernel) => unary(kernel, kernel)),
  binary("Atan2", (l, [y, x]) => atan2(l, y!, x!)),
  unary("Erf", "Erf"),
  unary("Expm1", (l, [x]) => expm1(l, x!)),
  unary("Log1p", (l, [x]) => log1p(l, x!)),
  unary("Ceil", "Ceil"),
  unary("Floor", "Floor"),
  unary("Round", "Round"),
  binary("FloorDiv", divided(floorDiv), { ...NUMBERS, dtype: "int32" }),
  binary("Mod", divided(mod), NUMBERS),
  unary("IsNan", "IsNaN", TEST),
  unary("IsInf", "IsInf", TEST),
  unary(
    "IsFinite",
    (l, x) => l.emit("Not", [l.emit("Or", [l.emit("IsNaN", x), l.emit("IsInf", x)])]),
    TEST,
  ),
];
