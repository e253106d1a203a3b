import { type Geometry, geometry, isDense } from "../kernels/geometry.ts";
import type { Op, Program, Value } from "../program.ts";
import {
  PRODUCTS,
  tilesOf,
  WINOGRAD,
  WINOGRAD_FILTER,
  WINOGRAD_GRADIENT,
  type WinogradAttributes,
  type WinogradGradientAttributes,
} from "../winograd.ts";
import { scaledName } from "./fold_scales.ts";

type Shape4D = readonly [number, number, number, number];

/** A 3x3 convolution of stride 1, or one of its gradients, of which that of the input is one, too. */
export interface WinogradPlan {
  readonly of: "convolution" | "input" | "filter";
  /** Rows and columns of zeros before the image. */
  readonly before: readonly [number, number];
  /** Channels that are read. */
  readonly from: number;
  /** Channels that are made, or of the other images that are read. */
  readonly to: number;
  /** Images, rows and columns of the result, or of the images that have its size. */
  readonly size: readonly [number, number, number];
  /** Whether the filter is a constant. */
  readonly isConstant: boolean;
  /** Whether a filter's gradient also reads what is transformed of dy. */
  readonly isShared: boolean;
  /** Whether every image has a filter's gradient of its own. */
  readonly isApart: boolean;
}

/** What counts on a target, in multiplications of its convolutions. */
interface Cost {
  /** To make or read one transformed number. */
  readonly transform: number;
  /** How many times less the whole must be, for the memory that it takes. */
  readonly gain: number;
}

/** For convolutions with filters that are known and with those that are trained, and for gradients. */
export interface WinogradCosts {
  /** What follows them, such as a known bias, would be merged into them. */
  readonly constant: Cost;
  readonly trained: Cost;
  /** With what it costs to copy a number where there are no transforms. */
  readonly filterGradient: Cost & { readonly copy: number };
}

/** Fitted to measured times (docs/performance.md). */
export const WINOGRAD_COSTS: Readonly<Record<"onnxruntime" | "openvino", WinogradCosts>> = {
  onnxruntime: {
    constant: { transform: 120, gain: 1.25 },
    trained: { transform: 120, gain: 1.6 },
    filterGradient: { transform: 75, gain: 1.15, copy: 0 },
  },
  openvino: {
    constant: { transform: 120, gain: 1.25 },
    trained: { transform: 50, gain: 1.25 },
    filterGradient: { transform: 50, gain: 1.25, copy: 100 },
  },
};

/** To read a number of a filter, and to make it in every run, if it is no constant. */
const READ = 16;
const TRANSFORM_FILTER = 30;
/** To write a product of a filter's gradient and to put it together. */
const SUM = 30;

/** Tells whether something is computed that way. */
export type WinogradChoice = (plan: WinogradPlan) => boolean;

/**
 * Wide 3x3 convolutions by a quarter of their multiplications. The transforms cost as much as some fifty
 * channels or more, so narrow ones stay as they are (figures in `docs/performance.md`).
 */
export function winogradConvolutions(program: Program, chooses: WinogradChoice): Program {
  const rewritten = new Rewritten(program);
  for (const op of program.ops) {
    const plan = planOf(op, program.values);
    if (plan?.of === "convolution" && chooses(plan)) rewritten.convolve(op, plan, false);
    else rewritten.ops.push(op);
  }
  return rewritten.program();
}

/**
 * The same of their gradients. Tiles of dy that the gradient of the input transforms serve that of the
 * filter, too.
 */
export function winogradGradients(program: Program, chooses: WinogradChoice): Program {
  const rewritten = new Rewritten(program);
  const chosen = new Map<Op, WinogradPlan>();
  const runs = runsOfGradients(program.ops);
  /** Whether the other gradient of a convolution reads tiles of dy, too, and does so soon. */
  const isShared = (op: Op, { of, before, isApart }: WinogradPlan) =>
    chosen.entries().some(([other, plan]) =>
      plan.of !== of && dyOf(other, plan) === dyOf(op, { of }) && !isApart && !plan.isApart &&
      `${plan.before}` === `${turned(before)}` && runs.get(other) === runs.get(op)
    );
  for (const kind of ["filter", "input"]) {
    for (const op of program.ops) {
      const plan = planOf(op, program.values);
      if (plan?.of !== kind) continue;
      if (chooses({ ...plan, isShared: isShared(op, plan) })) chosen.set(op, plan);
    }
  }
  for (const op of program.ops) {
    const plan = chosen.get(op);
    if (!plan) rewritten.ops.push(op);
    else if (plan.of === "input") rewritten.convolve(op, plan, isShared(op, plan));
    else rewritten.correlate(op, isShared(op, plan));
  }
  return rewritten.program();
}

/**
 * Gradients of convolutions by the run of them in which they stand. Those of second order stand far from
 * those of first order that have the same dy, whose tiles would take more than twice its memory until then.
 */
function runsOfGradients(ops: readonly Op[]): ReadonlyMap<Op, number> {
  let run = 0;
  const runs = new Map<Op, number>();
  for (const op of ops) {
    const of = KINDS[op.kernel];
    if (of === "input" || of === "filter") runs.set(op, run);
    else run++;
  }
  return runs;
}

const dyOf = ({ inputs }: Op, { of }: Pick<WinogradPlan, "of">) => inputs[of === "input" ? 0 : 1];

const INPUT = "Conv2DBackpropInput";
const FILTER = "Conv2DBackpropFilter";

/** Zeros before an image where the filter is turned. */
const turned = ([top, left]: readonly [number, number]) => [2 - top, 2 - left] as const;

/** A program whose convolutions are replaced. */
class Rewritten {
  readonly ops: Op[] = [];
  readonly #values: Value[];
  readonly #program: Program;
  readonly #filters = new Map<string, number>();

  constructor(program: Program) {
    this.#program = program;
    this.#values = [...program.values];
  }

  /** A convolution, or the gradient of its input. */
  convolve(op: Op, plan: WinogradPlan, isShared: boolean): void {
    const [x, filter] = op.inputs as [number, number];
    const inputs = [x, this.#transformed(filter, plan)];
    const attributes: WinogradAttributes = { before: plan.before, isShared };
    this.ops.push({ ...op, kernel: WINOGRAD, inputs, attributes });
  }

  /** The gradient of a filter. */
  correlate(op: Op, isShared: boolean): void {
    const attributes: WinogradGradientAttributes = { ...op.attributes, isShared };
    this.ops.push({ ...op, kernel: WINOGRAD_GRADIENT, attributes });
  }

  program(): Program {
    return { ...this.#program, values: this.#values, ops: this.ops };
  }

  /** The transformed filter; of a constant one the runtime computes it when it opens the program. */
  #transformed(id: number, { of, from, to }: WinogradPlan): number {
    const adjoint = of === "input";
    const key = `${id} ${adjoint}`;
    const known = this.#filters.get(key);
    if (known !== undefined) return known;
    const made = this.#values.push({ shape: [PRODUCTS, from, to], dtype: "float32" }) - 1;
    const attributes = { adjoint };
    this.ops.push({ kernel: WINOGRAD_FILTER, inputs: [id], attributes, outputs: [made] });
    this.#filters.set(key, made);
    return made;
  }
}

const KINDS: Readonly<Record<string, WinogradPlan["of"]>> = {
  Conv2D: "convolution",
  [INPUT]: "input",
  [FILTER]: "filter",
  [scaledName(FILTER)]: "filter",
};

function planOf(
  { kernel, inputs, outputs, attributes }: Op,
  values: readonly Value[],
): WinogradPlan | undefined {
  const of = KINDS[kernel];
  if (!of) return undefined;
  const shapeOf = (id: number) => values[id]!.shape as Shape4D;
  const filter = of === "filter" ? outputs[0]! : inputs[1]!;
  const [kh, kw, ci, co] = shapeOf(filter);
  if (kh !== 3 || kw !== 3) return undefined;
  const image: Shape4D = of === "input" ? attributes["inputShape"] : shapeOf(inputs[0]!);
  const g: Geometry = geometry(image, shapeOf(filter), attributes, false);
  const before = of === "input" ? turned(g.before) : g.before;
  if (!isDense(g) || before.some((zeros) => zeros < 0)) return undefined;
  const [n, h, w] = of === "input" ? image : g.outShape;
  const [from, to] = of === "input" ? [co, ci] : [ci, co];
  return {
    of,
    before,
    from,
    to,
    size: [n, h, w],
    isConstant: values[filter]!.constant !== undefined,
    isShared: false, // as long as nobody has looked for the other gradient
    isApart: of === "filter" && inputs.length > 2,
  };
}

/** Chooses what fewer multiplications make faster, transforms included. */
export function winogradPays(costs: WinogradCosts): WinogradChoice {
  return ({ of, from, to, size: [n, h, w], isConstant, isShared, isApart }) => {
    const [rows, columns] = tilesOf(h, w);
    const tiles = n * rows * columns;
    const pairs = from * to;
    const direct = 9 * n * h * w * pairs;
    if (of === "filter") {
      const { transform, gain, copy } = costs.filterGradient;
      const products = PRODUCTS * tiles * (pairs + transform * (from + to));
      const sums = PRODUCTS * pairs * SUM * (isApart ? n : 1);
      return direct + copy * n * h * w * (from + to) > gain * (products + sums);
    }
    const { transform, gain } = isConstant ? costs.constant : costs.trained;
    const products = PRODUCTS * tiles * (pairs + transform * (isShared ? to : from + to));
    const weights = (PRODUCTS - 9) * READ + (isConstant ? 0 : PRODUCTS * TRANSFORM_FILTER);
    return direct > gain * (products + weights * pairs);
  };
}
