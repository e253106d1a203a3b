import { type Op, producers, type Program, useCounts, type Value } from "../program.ts";
import { scaleOf } from "./scale_of.ts";

/** Name of the kernel whose operand is multiplied by one number per channel and image before. */
export function scaledName(kernel: string): string {
  return `${kernel}WithScale`;
}

const CONVOLUTIONS = ["Conv2D", "DepthwiseConv2dNative"];
const SCALED = ["DepthwiseConv2dNative", "InverseHaar"]; // with a number per image, too

/**
 * Spares products with one number per channel where only a linear operation reads them: the numbers
 * go into its weights. A number per channel and image makes an operation of its own of the two.
 */
export function foldScales(program: Program): Program {
  const values: Value[] = [...program.values];
  const uses = useCounts(program);
  const makers = producers(program);
  const gone = new Set<Op>();
  const ops = program.ops.flatMap((op): Op[] => {
    const product = makers.get(op.inputs[0]!);
    if (product?.kernel !== "Multiply" || uses.get(product.outputs[0]!) !== 1) return [op];
    const scale = scaleOf(product.inputs, values);
    const image = product.inputs.find((id) => id !== scale);
    if (scale === undefined || image === undefined) return [op];
    const rewritten = inFilter(op, image, scale) ?? apart(product, op, image, scale);
    if (!rewritten) return [op];
    gone.add(product);
    return rewritten;
  });
  return { ...program, values, ops: ops.filter((op) => !gone.has(op)) };

  /** A number per channel is a factor of the filter, if that is smaller than the image. */
  function inFilter(op: Op, image: number, scale: number): Op[] | undefined {
    if (!CONVOLUTIONS.includes(op.kernel)) return undefined;
    const [, filter] = op.inputs as [number, number];
    const [n, h, w, channels] = values[image]!.shape as [number, number, number, number];
    const [kh, kw, , outputs] = values[filter]!.shape as [number, number, number, number];
    const { shape } = values[scale]!;
    if (shape.length === 4 && shape[0] !== 1 || kh * kw * outputs > n * h * w) return undefined;
    const spread = values.push({ shape: [1, 1, channels, 1], dtype: "float32" }) - 1;
    const scaled = values.push({ ...weightType(filter) }) - 1;
    return [
      {
        kernel: "Reshape",
        inputs: [scale],
        attributes: { shape: [1, 1, channels, 1] },
        outputs: [spread],
      },
      { kernel: "Multiply", inputs: [filter, spread], attributes: {}, outputs: [scaled] },
      { ...op, inputs: [image, scaled] },
    ];
  }

  function weightType(id: number): Value {
    return { shape: values[id]!.shape, dtype: "float32" };
  }
}

function apart(product: Op, op: Op, image: number, scale: number): Op[] | undefined {
  if (!SCALED.includes(op.kernel)) return undefined;
  return [{
    ...op,
    kernel: scaledName(op.kernel),
    inputs: [image, ...op.inputs.slice(1), scale],
    attributes: { ...op.attributes, parts: [product, op] },
  }];
}
