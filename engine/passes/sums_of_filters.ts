import { type Op, producers, type Program, useCounts } from "../program.ts";
import { sizeOf } from "../rule.ts";
import { scaledName } from "./fold_scales.ts";
import { scaleOf } from "./scale_of.ts";

/** Which sums over pixels a filter's gradient gives as well; see {@linkcode sumsOfFilters}. */
export interface FilterSums {
  /** Whether it gives that of `x dx`, its second result. */
  readonly reads: boolean;
  /** Whether it gives that of `g y`, its last result. */
  readonly makes: boolean;
}

const GRADIENT = scaledName("Conv2DBackpropFilter");
const DEAREST = 0.5; // numbers of a filter per number of an image of which a pass is spared

/**
 * Takes gradients of StyleGAN2's modulation and demodulation from those of the filters, which
 * {@linkcode lateScales} left apart for every image.
 *
 * With y = W * (s x) and dy = d g, where s and d are numbers per image and channel, their gradients are
 * sums over pixels of x dx and of g y: two passes over images each, and y is kept for the way back. But
 * with `P[t,i,o] = sum_p x[p + t,i] dy[p,o]`, whose sum over images is the filter's gradient,
 * `sum_p x dx = sum_{t,o} W P` and `sum_p g y = sum_{t,i} W s P / d`, numbers of the size of a filter.
 *
 * The operation gets the inputs `[x, dy, s, W]`, and d if it divides by it: where d is a reciprocal
 * root times a number, which is never 0.
 */
export function sumsOfFilters(program: Program): Program {
  const { values } = program;
  const makers = producers(program);
  const uses = useCounts(program);
  const readers = new Map<number, Op[]>();
  for (const op of program.ops) {
    for (const id of op.inputs) readers.set(id, [...readers.get(id) ?? [], op]);
  }
  const merged = new Map<Op, Op>();
  const gone = new Set<Op>();

  /** The product of two images and its sum over pixels, if nobody reads the product otherwise. */
  const sumOf = (a: number, b: number): [product: Op, sum: Op] | undefined => {
    const product = readers.get(a)?.find(({ kernel, inputs }) =>
      kernel === "Multiply" && inputs.includes(b) && a !== b
    );
    const [sum] = product && uses.get(product.outputs[0]!) === 1
      ? readers.get(product.outputs[0]!) ?? []
      : [];
    const overPixels = sum?.kernel === "Sum" && `${sum.attributes["axis"]}` === "1,2";
    return overPixels && !gone.has(product!) ? [product!, sum] : undefined;
  };
  const isNumber = (id: number) =>
    values[id]!.constant?.length === 1 && values[id]!.constant[0] !== 0;
  const isReciprocal = (id: number): boolean => {
    const op = makers.get(id);
    if (op?.kernel === "Reshape") return isReciprocal(op.inputs[0]!);
    if (op?.kernel !== "Multiply") return op?.kernel === "Rsqrt";
    const [a, b] = op.inputs as [number, number];
    return isNumber(a) && isReciprocal(b) || isNumber(b) && isReciprocal(a);
  };

  for (const op of program.ops) {
    if (op.kernel !== GRADIENT || !isDense(op)) continue;
    const [x, dy, scale] = op.inputs as [number, number, number];
    const [, h, w, channels] = values[x]!.shape as [number, number, number, number];
    if (sizeOf(op.attributes["filterShape"]) > DEAREST * h * w * channels) continue;
    const back = readers.get(dy)!.find(({ kernel, inputs, attributes }) =>
      kernel === "Conv2DBackpropInput" && inputs[0] === dy && hasSameWindows(attributes, op)
    );
    if (!back) continue;
    const [, filter] = back.inputs as [number, number];
    const read = sumOf(x, back.outputs[0]!);
    const made = demodulated(op, filter);
    if (!read && !made) continue;
    const sums = [read, made?.sum].filter((sum) => sum !== undefined);
    sums.flat().forEach((part) => gone.add(part));
    merged.set(op, {
      kernel: GRADIENT,
      inputs: [x, dy, scale, filter, ...made ? [made.factor] : []],
      attributes: { ...op.attributes, reads: !!read, makes: !!made, parts: [...sums.flat(), op] },
      outputs: [op.outputs[0]!, ...sums.map(([, sum]) => sum.outputs[0]!)],
    });
  }
  if (merged.size === 0) return program;
  const ops = program.ops.filter((op) => !gone.has(op)).map((op) => merged.get(op) ?? op);
  return { ...program, ops: inOrder(ops) };

  /** The sum of `g y` of the convolution whose filter's gradient it is, and d. */
  function demodulated(op: Op, filter: number) {
    const [x, dy, scale] = op.inputs as [number, number, number];
    const product = makers.get(dy);
    if (product?.kernel !== "Multiply") return undefined;
    const factor = scaleOf(product.inputs, values);
    const g = product.inputs.find((id) => id !== factor);
    if (factor === undefined || g === undefined || !isReciprocal(factor)) return undefined;
    const forward = readers.get(filter)!.find(({ kernel, inputs, attributes }) => {
      const modulated = makers.get(inputs[0]!);
      return kernel === "Conv2D" && inputs[1] === filter && hasSameWindows(attributes, op) &&
        modulated?.kernel === "Multiply" && modulated.inputs.includes(x) &&
        modulated.inputs.includes(scale);
    });
    const sum = forward && sumOf(g, forward.outputs[0]!);
    return sum && { sum, factor };
  }
}

const ones = (size: number | readonly number[]) => [size].flat().every((n) => n === 1);

function isDense({ attributes: { strides, dilations } }: Op): boolean {
  return ones(strides) && ones(dilations);
}

function hasSameWindows(attributes: Op["attributes"], { attributes: own }: Op): boolean {
  return ["strides", "pad", "dilations"].every((name) =>
    JSON.stringify(attributes[name]) === JSON.stringify(own[name])
  );
}

/** Operations after what they read, else in the order in which they are given. */
function inOrder(ops: readonly Op[]): Op[] {
  const makers = producers({ ops });
  const placed = new Set<Op>();
  const place = (op: Op): void => {
    if (placed.has(op)) return;
    for (const id of op.inputs) {
      const maker = makers.get(id);
      if (maker) place(maker);
    }
    placed.add(op);
  };
  ops.forEach(place);
  return [...placed];
}
