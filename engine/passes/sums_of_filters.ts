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
  const graph = graphOf(program);
  const merged = new Map<Op, Op>();
  const gone = new Set<Op>();
  for (const op of program.ops) {
    if (op.kernel !== GRADIENT || !isDense(op) || isDear(op, graph)) continue;
    const [x, dy, scale] = op.inputs as [number, number, number];
    const back = graph.readers(dy).find(({ kernel, inputs, attributes }) =>
      kernel === "Conv2DBackpropInput" && inputs[0] === dy && hasSameWindows(attributes, op)
    );
    if (!back) continue;
    const [, filter] = back.inputs as [number, number];
    const read = sumOverPixels(x, back.outputs[0]!, graph);
    const made = demodulated(op, filter, graph);
    const sums = [read, made?.sum].filter((sum) => sum !== undefined);
    if (sums.length === 0 || sums.flat().some((part) => gone.has(part))) continue;
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
}

/** Who makes and reads a program's values. */
function graphOf(program: Program) {
  const readers = new Map<number, Op[]>();
  for (const op of program.ops) {
    for (const id of op.inputs) readers.set(id, [...readers.get(id) ?? [], op]);
  }
  return {
    values: program.values,
    makers: producers(program),
    uses: useCounts(program),
    readers: (id: number): readonly Op[] => readers.get(id) ?? [],
  };
}

type Graph = ReturnType<typeof graphOf>;

/** The product of two images and its sum over pixels `[N,C]`, if nobody reads the product otherwise. */
function sumOverPixels(
  a: number,
  b: number,
  { uses, readers }: Graph,
): readonly [product: Op, sum: Op] | undefined {
  const product = readers(a).find(({ kernel, inputs }) =>
    kernel === "Multiply" && inputs.includes(b) && a !== b
  );
  if (!product || uses.get(product.outputs[0]!) !== 1) return undefined;
  const [sum] = readers(product.outputs[0]!);
  const fits = sum?.kernel === "Sum" && `${sum.attributes["axis"]}` === "1,2" &&
    !sum.attributes["keepDims"];
  return fits ? [product, sum] : undefined;
}

/** The sum of `g y` of the convolution whose filter's gradient it is, and d. */
function demodulated(op: Op, filter: number, graph: Graph) {
  const { values, makers, readers } = graph;
  const [x, dy, scale] = op.inputs as [number, number, number];
  const product = makers.get(dy);
  if (product?.kernel !== "Multiply") return undefined;
  const factor = scaleOf(product.inputs, values);
  const g = product.inputs.find((id) => id !== factor);
  if (factor === undefined || g === undefined || !isReciprocal(factor, graph)) return undefined;
  const forward = readers(filter).find(({ kernel, inputs, attributes }) => {
    const modulated = makers.get(inputs[0]!);
    return kernel === "Conv2D" && inputs[1] === filter && hasSameWindows(attributes, op) &&
      modulated?.kernel === "Multiply" && modulated.inputs.includes(x) &&
      modulated.inputs.includes(scale);
  });
  const sum = forward && sumOverPixels(g, forward.outputs[0]!, graph);
  return sum && { sum, factor };
}

/** Whether a value is a reciprocal root, times numbers that are known. */
function isReciprocal(id: number, graph: Graph): boolean {
  const op = graph.makers.get(id);
  if (op?.kernel === "Reshape") return isReciprocal(op.inputs[0]!, graph);
  if (op?.kernel !== "Multiply") return op?.kernel === "Rsqrt";
  const isNumber = (id: number) => {
    const { constant } = graph.values[id]!;
    return constant?.length === 1 && constant[0] !== 0;
  };
  const [a, b] = op.inputs as [number, number];
  return isNumber(a) && isReciprocal(b, graph) || isNumber(b) && isReciprocal(a, graph);
}

function isDear({ inputs: [x], attributes }: Op, { values }: Graph): boolean {
  const image = sizeOf(values[x!]!.shape.slice(1));
  return sizeOf(attributes["filterShape"]) > DEAREST * image;
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
