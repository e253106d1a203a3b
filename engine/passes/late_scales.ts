import { type Op, producers, type Program } from "../program.ts";
import { scaledName } from "./fold_scales.ts";
import { scaleOf } from "./scale_of.ts";

const GRADIENTS = ["Conv2DBackpropFilter", "DepthwiseConv2dNativeBackpropFilter"];
const FEWEST = 128; // pixels of an image; with fewer there is little to spare

/**
 * Gradients of filters whose input was multiplied by one number per channel and image: they are given
 * what was multiplied, and multiply the gradients of the images instead. So the product, as large as
 * the image, need not be kept from the way forward, where the image itself is kept anyway.
 */
export function lateScales(program: Program): Program {
  const { values } = program;
  const makers = producers(program);
  const ops = program.ops.map((op): Op => {
    if (!GRADIENTS.includes(op.kernel)) return op;
    const [x, dy] = op.inputs as [number, number];
    const product = makers.get(x);
    if (product?.kernel !== "Multiply") return op;
    const scale = scaleOf(product.inputs, values);
    const image = product.inputs.find((id) => id !== scale);
    const [, h, w] = values[x]!.shape as [number, number, number];
    if (scale === undefined || image === undefined || h * w < FEWEST) return op;
    return {
      ...op,
      kernel: scaledName(op.kernel),
      inputs: [image, dy, scale],
      attributes: { ...op.attributes, parts: [op] },
    };
  });
  return { ...program, ops };
}
