/**
 * Convolutions of ONNX Runtime's own layout, in which channels lie in blocks (NCHWc). Its optimiser
 * uses these operators for constant weights only; written by us they take weights that train, several
 * times faster than `Conv`, which copies every window first (figures in `docs/performance.md`).
 *
 * @module
 */
import { type Geometry, geometry } from "../kernels/geometry.ts";
import type { Form, Lowering } from "../lowering.ts";
import { fusedName } from "../passes/fuse_convolutions.ts";
import { scaledName } from "../passes/fold_scales.ts";
import { type ScaledFilterAttributes, scaledFilterName } from "../passes/scale_filters.ts";
import { scaleOf } from "../passes/scale_of.ts";
import { type Build, fused, plain } from "./blocked_node.ts";
import { resample } from "./blocked_resample.ts";
import { sameShape, sizeOf } from "../rule.ts";
import { stridedBackpropInput } from "./blocked_transposed.ts";
import {
  blockedWeight,
  depthwiseWeight,
  scaledDepthwiseWeight,
  scaledWeight,
  type Shape4D,
} from "./blocked_weight.ts";

/** Whether all channels of a value can be read by a blocked convolution. */
function readable(l: Lowering, id: number): boolean {
  return l.canBlock(id) || l.shape(id)[3]! < l.block;
}

/** The input of a blocked convolution: in blocks, or as NCHW if there are too few channels. */
function input(l: Lowering, id: number): string {
  return l.get(id, l.canBlock(id) ? "blocked" : "channelsFirst");
}

const attributesOf = ({ strides, dilations, before, after }: Geometry, group = 1) => ({
  strides,
  dilations,
  pads: [...before, ...after],
  group,
});

/** Padding of the adjoint of a convolution of stride 1; undefined if it would be negative. */
function adjointPads({ kernel, before, after, strides, dilations }: Geometry) {
  if ([...strides, ...dilations].some((n) => n !== 1)) return undefined;
  const pads = [before, after].flatMap((side) => side.map((n, i) => kernel[i]! - 1 - n));
  return pads.every((n) => n >= 0) ? pads : undefined;
}

const conv2d: Build = ({ inputs: [x, filter], attributes }, l) => {
  if (!readable(l, x!)) return undefined;
  const shape = l.shape(filter!) as Shape4D;
  const g = geometry(l.shape(x!), shape, attributes, false);
  const inputs = [input(l, x!), blockedWeight(l, l.get(filter!), shape)] as const;
  return { inputs, attributes: attributesOf(g) };
};

/** A convolution whose channels have factors, per image: its filter has them, and a group is an image. */
const scaledConv2d: Build = ({ inputs, attributes, outputs: [out] }, l) => {
  const [x, filter, ...scales] = inputs as [number, number, ...number[]];
  const { reads, makes } = attributes as ScaledFilterAttributes;
  const shape = l.shape(filter) as Shape4D;
  if (!l.canBlock(x) || makes && !l.canBlock(out!)) return undefined;
  const [n, h, w, c] = l.shape(x) as Shape4D;
  const g = geometry([n, h, w, c], shape, attributes, false);
  const { weight, images } = scaledWeight(l, blockedWeight(l, l.get(filter), shape), shape, {
    ...reads && { reads: scales[0]! },
    ...makes && { makes: scales.at(-1)! },
  });
  const image = l.get(x, "blocked");
  const whole = images > 1;
  const pixels = whole ? l.reshape(image, [1, n * c, h, w]) : image;
  return { inputs: [pixels, weight], attributes: attributesOf(g, images), whole };
};

const conv2dBackpropInput: Build = ({ inputs: [dy, filter], attributes }, l) => {
  if (!readable(l, dy!)) return undefined;
  const shape = l.shape(filter!) as Shape4D;
  const pads = adjointPads(geometry(attributes["inputShape"], shape, attributes, false));
  if (!pads) return undefined;
  const weight = blockedWeight(l, l.get(filter!), shape, { adjoint: true });
  return { inputs: [input(l, dy!), weight], attributes: { pads } };
};

const depthwise: Build = ({ inputs: [x, filter], attributes }, l) => {
  const shape = l.shape(filter!);
  if (!l.canBlock(x!) || shape[3] !== 1) return undefined;
  const g = geometry(l.shape(x!), shape, attributes, true);
  const inputs = [l.get(x!, "blocked"), depthwiseWeight(l, l.get(filter!), shape)] as const;
  return { inputs, attributes: attributesOf(g, shape[2]!) };
};

const depthwiseBackpropInput: Build = ({ inputs: [dy, filter], attributes }, l) => {
  const shape = l.shape(filter!);
  if (!l.canBlock(dy!) || shape[3] !== 1) return undefined;
  const pads = adjointPads(geometry(attributes["inputShape"], shape, attributes, true));
  if (!pads) return undefined;
  const weight = depthwiseWeight(l, l.get(filter!), shape, { adjoint: true });
  return { inputs: [l.get(dy!, "blocked"), weight], attributes: { pads, group: shape[2]! } };
};

/**
 * One number per channel, or per channel and image: a depthwise convolution with one tap. Images then
 * play channels, too, as they lie one after the other. Broadcasting takes twice as long.
 */
const scaled: Build = ({ inputs, outputs: [out] }, l) => {
  const [n, h, w, c] = l.shape(out!) as Shape4D;
  const scale = scaleOf(inputs, l.program.values);
  const x = inputs.find((id) => id !== scale);
  if (x === undefined || scale === undefined || !l.isBlocked(x) || h * w === 1) return undefined;
  const count = sizeOf(l.shape(scale)); // C or N C
  const weight = l.reshape(l.get(scale), [count, 1, 1, 1]);
  const image = l.get(x, "blocked");
  if (count === c) return { inputs: [image, weight], attributes: { group: c } };
  const channels = l.reshape(image, [1, n * c, h, w]);
  return { inputs: [channels, weight], attributes: { group: count }, whole: true };
};

/** A depthwise convolution of a product with one number per channel and image, images as channels. */
const scaledDepthwise: Build = (op, l) => {
  const { inputs: [x, filter, scale], attributes, outputs: [out] } = op;
  const size = l.shape(filter!) as Shape4D;
  const shape = l.shape(out!) as Shape4D;
  if (!l.canBlock(x!) || size[3] !== 1 || !sameShape(l.shape(x!), shape)) return undefined;
  const [n, h, w, c] = shape;
  const g = geometry(shape, size, attributes, true);
  const taps = depthwiseWeight(l, l.get(filter!), size);
  const { weight, images } = scaledDepthwiseWeight(l, taps, size, scale!);
  const image = l.get(x!, "blocked");
  const whole = images > 1;
  return {
    inputs: [whole ? l.reshape(image, [1, n * c, h, w]) : image, weight],
    attributes: attributesOf(g, images * c),
    whole,
  };
};

const BUILDS: Readonly<Record<string, Build>> = {
  Multiply: scaled,
  Conv2D: conv2d,
  Conv2DBackpropInput: conv2dBackpropInput,
  DepthwiseConv2dNative: depthwise,
  DepthwiseConv2dNativeBackpropInput: depthwiseBackpropInput,
  [scaledName("DepthwiseConv2dNative")]: scaledDepthwise,
  [scaledFilterName("Conv2D")]: scaledConv2d,
  Resample: resample,
  [scaledFilterName("Resample")]: resample,
};

/** Forms of all convolutions but the gradients of filters. */
export const blockedConvolutions: readonly (readonly [string, Form])[] = [
  ...Object.entries(BUILDS).flatMap(([kernel, build]) =>
    [[kernel, plain(build)], [fusedName(kernel), fused(build)]] as const
  ),
  [
    "Conv2DBackpropInput",
    (op, l) => plain(conv2dBackpropInput)(op, l) || stridedBackpropInput(op, l),
  ],
];
