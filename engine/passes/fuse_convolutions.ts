import type { Op, Program } from "../program.ts";
import { producers, useCounts } from "../program.ts";
import { sameShape } from "../rule.ts";
import { WINOGRAD } from "../winograd.ts";
import { scaledFilterName } from "./scale_filters.ts";
import { scaleOf } from "./scale_of.ts";

/** What is merged into a convolution; its inputs come after those of the convolution. */
export interface FusedAttributes {
  /** The operations that it stands for, for targets that cannot merge them. */
  readonly parts: readonly Op[];
  /** Whether a bias `[C]` is added: the third input. */
  readonly bias: boolean;
  /** Whether a value of the result's shape is added, or of one image or channel: the last input. */
  readonly sum: boolean;
  /** Slope of a leaky ReLU at the end. */
  readonly alpha?: number;
}

const CONVOLUTIONS = [
  "Conv2D",
  "Conv2DBackpropInput",
  "DepthwiseConv2dNative",
  scaledFilterName("Conv2D"),
  scaledFilterName("Resample"),
  WINOGRAD,
];

/** What is added to a convolution's result. */
interface Term {
  readonly bias?: number;
  readonly sum?: number;
  /** The operation that adds the two. */
  readonly sums?: readonly Op[];
}

const FEWEST = 8; // channels of the smallest blocks: values are added to whole ones only

/** Name of the kernel that merges what follows a convolution of that name. */
export function fusedName(kernel: string): string {
  return `${kernel}WithSums`;
}

/**
 * Merges into convolutions, and into products with one number per channel, what their results go
 * through first: a bias, a value of the same shape that is added (the other branch of a residual
 * block; in gradients, what else flows to the same place), a leaky ReLU.
 */
export function fuseConvolutions(program: Program): Program {
  const { values } = program;
  const uses = useCounts(program);

  const makers = producers(program);
  const order = new Map(program.ops.map((op, i) => [op.outputs[0]!, i]));
  const fused = new Map<number, Op>(); // by the result of the last part
  const gone = new Set<Op>();

  /** The convolution, fused so far, that makes a value which nothing else reads. */
  const convolution = (id: number): Op | undefined => {
    const op = fused.get(id) ?? makers.get(id);
    if (!op || uses.get(id) !== 1) return undefined;
    const scales = op.kernel === "Multiply" && scaleOf(op.inputs, values) !== undefined;
    return scales || CONVOLUTIONS.includes(op.kernel) || fused.has(id) ? op : undefined;
  };
  /** What a value may be to a convolution with a result `[N,H,W,C]` that it is added to; best first. */
  const terms = (id: number, [n, ...image]: readonly number[]): readonly Term[] => {
    const { shape } = values[id]!;
    const channels = image.at(-1)!;
    if (shape.at(-1) === channels && shape.every((n, i) => n === 1 || i === shape.length - 1)) {
      return [{ bias: id }];
    }
    const fits = shape.length === 4 && [1, n].includes(shape[0]);
    const isMap = fits && sameShape(shape.slice(1), [...image.slice(0, 2), 1]);
    if (channels >= FEWEST && (isMap || fits && sameShape(shape.slice(1), image))) {
      const both = isMap ? undefined : mapAndBias(id, [n!, ...image]);
      return [...both ? [both] : [], { sum: id }];
    }
    return [];
  };
  /** A sum of a map, as noise is, and of a bias: it is larger than both. */
  const mapAndBias = (id: number, shape: readonly number[]): Term | undefined => {
    const op = makers.get(id);
    if (op?.kernel !== "Add" || uses.get(id) !== 1) return undefined;
    const parts = op.inputs.map((input) => terms(input, shape)[0] ?? {});
    const bias = parts.find(({ bias }) => bias !== undefined)?.bias;
    const sum = parts.find(({ sum }) => sum !== undefined && values[sum]!.shape[3] === 1)?.sum;
    return bias === undefined || sum === undefined ? undefined : { bias, sum, sums: [op] };
  };
  const merge = (
    conv: Op,
    ops: readonly Op[],
    more: Partial<FusedAttributes>,
    extra: readonly number[],
  ) => {
    const op = ops.at(-1)!;
    const base = fused.has(conv.outputs[0]!) ? conv : {
      ...conv,
      kernel: fusedName(conv.kernel),
      attributes: { ...conv.attributes, parts: [conv], bias: false, sum: false },
    };
    fused.delete(conv.outputs[0]!);
    gone.add(makers.get(conv.outputs[0]!)!);
    const attributes = {
      ...base.attributes,
      ...more,
      parts: [...base.attributes["parts"], ...ops],
    };
    fused.set(op.outputs[0]!, {
      kernel: base.kernel,
      inputs: [...base.inputs, ...extra],
      attributes,
      outputs: op.outputs,
    });
  };

  for (const op of program.ops) {
    const [a, b] = op.inputs as [number, number];
    if (op.kernel === "LeakyRelu") {
      const conv = convolution(a);
      if (conv && conv.attributes["alpha"] === undefined) {
        merge(conv, [op], { alpha: op.attributes["alpha"] }, []);
      }
    }
    if (op.kernel !== "Add" && op.kernel !== "AddV2") continue;
    // The later of two convolutions takes the other's result.
    const operands = (order.get(a) ?? -1) > (order.get(b) ?? -1) ? [a, b] : [b, a];
    for (const id of operands) {
      const other = id === a ? b : a;
      const conv = convolution(id);
      if (!conv || conv.attributes["alpha"] !== undefined) continue;
      const { bias: biased, sum: summed } = conv.attributes as Partial<FusedAttributes>;
      const fitting = terms(other, values[id]!.shape).find(({ bias, sum }) =>
        !summed && !(biased && bias !== undefined) && (bias ?? sum) !== undefined
      );
      if (!fitting) continue;
      const { bias, sum, sums = [] } = fitting;
      sums.forEach((each) => gone.add(each));
      merge(conv, [...sums, op], {
        ...bias !== undefined && { bias: true },
        ...sum !== undefined && { sum: true },
      }, [bias, sum].filter((each) => each !== undefined));
      break;
    }
  }
  const ops = program.ops.flatMap((op) => {
    const made = fused.get(op.outputs[0]!);
    return made ? [made] : gone.has(op) ? [] : [op];
  });
  return { ...program, ops };
}
