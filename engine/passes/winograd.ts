import { geometry } from "../kernels/geometry.ts";
import type { Op, Program, Value } from "../program.ts";
import { PRODUCTS, tilesOf, WINOGRAD, WINOGRAD_FILTER } from "../winograd.ts";

type Shape4D = readonly [number, number, number, number];

/** A convolution of stride 1 with 3x3 taps, or the gradient of its input, which is one. */
export interface WinogradPlan {
  readonly adjoint: boolean;
  readonly before: readonly [number, number];
  /** Channels that are read. */
  readonly from: number;
  /** Channels that are made. */
  readonly to: number;
  /** Images, rows and columns of the result. */
  readonly size: readonly [number, number, number];
  /** Whether the filter is a constant. */
  readonly isConstant: boolean;
}

/** What it costs to make or read one transformed number, in multiplications of a large product. */
const TRANSFORM = 120;
/** The same of reading a number of a filter, and of making it in every run, if it is no constant. */
const READ = 16;
const TRANSFORM_FILTER = 30;
/** How many times less the whole must be, for the memory that it takes. */
const GAIN = { constant: 1.25, trained: 1.6 };

/**
 * Wide 3x3 convolutions by a quarter of their multiplications. The transforms cost as much as a hundred
 * channels or so, so narrow ones stay as they are (figures in `docs/performance.md`).
 *
 * @param chooses Whether a convolution is computed that way.
 */
export function winograd(
  program: Program,
  chooses: (plan: WinogradPlan) => boolean = pays,
): Program {
  const values: Value[] = [...program.values];
  const filters = new Map<string, number>();
  const ops: Op[] = [];
  /** The transformed filter; of a constant one the runtime computes it when it opens the program. */
  const transformed = (id: number, { adjoint, from, to }: WinogradPlan): number => {
    const key = `${id} ${adjoint}`;
    const known = filters.get(key);
    if (known !== undefined) return known;
    const made = values.push({ shape: [PRODUCTS, from, to], dtype: "float32" }) - 1;
    ops.push({ kernel: WINOGRAD_FILTER, inputs: [id], attributes: { adjoint }, outputs: [made] });
    filters.set(key, made);
    return made;
  };
  for (const op of program.ops) {
    const [x, filter] = op.inputs as [number, number];
    const plan = planOf(op, values);
    if (!plan || !chooses(plan)) {
      ops.push(op);
      continue;
    }
    const inputs = [x, transformed(filter, plan)];
    ops.push({ ...op, kernel: WINOGRAD, inputs, attributes: { before: plan.before } });
  }
  return { ...program, values, ops };
}

function planOf(
  { kernel, inputs, attributes }: Op,
  values: readonly Value[],
): WinogradPlan | undefined {
  const adjoint = kernel === "Conv2DBackpropInput";
  if (kernel !== "Conv2D" && !adjoint) return undefined;
  const given = values[inputs[0]!]!.shape as Shape4D;
  const filter = values[inputs[1]!]!;
  const [kh, kw, ci, co] = filter.shape as Shape4D;
  const isConstant = filter.constant !== undefined;
  if (kh !== 3 || kw !== 3) return undefined;
  const image: Shape4D = adjoint ? attributes["inputShape"] : given;
  const g = geometry(image, [kh, kw, ci, co], attributes, false);
  if ([...g.strides, ...g.dilations].some((n) => n !== 1)) return undefined;
  if (!adjoint) {
    const [n, h, w] = g.outShape;
    return { adjoint, before: g.before, from: ci, to: co, size: [n, h, w], isConstant };
  }
  const before = [2 - g.before[0], 2 - g.before[1]] as const;
  if (before.some((zeros) => zeros < 0)) return undefined;
  const [n, h, w] = image;
  return { adjoint, before, from: co, to: ci, size: [n, h, w], isConstant };
}

/** Whether fewer multiplications outweigh the transforms. */
function pays({ from, to, size: [n, h, w], isConstant }: WinogradPlan): boolean {
  const [rows, columns] = tilesOf(h, w);
  const tiles = n * rows * columns;
  const pairs = from * to;
  const direct = 9 * n * h * w * pairs;
  const products = PRODUCTS * tiles * (pairs + TRANSFORM * (from + to));
  const weights = (PRODUCTS - 9) * READ + (isConstant ? 0 : PRODUCTS * TRANSFORM_FILTER);
  return direct > GAIN[isConstant ? "constant" : "trained"] * (products + weights * pairs);
}
