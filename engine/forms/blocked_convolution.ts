/**
 * Convolutions of ONNX Runtime's own layout, in which channels lie in blocks (NCHWc). Its optimiser
 * uses these operators for constant weights only; written by us they take weights that train, several
 * times faster than `Conv`, which copies every window first (figures in `docs/performance.md`).
 *
 * @module
 */
import { type Geometry, geometry } from "../kernels/convolution.ts";
import type { Form, Lowering } from "../lowering.ts";
import type { Attributes as NodeAttributes } from "../onnx_model.ts";
import { type FusedAttributes, fusedName, scaleOf } from "../passes/fuse_convolutions.ts";
import { scaledName } from "../passes/fold_scales.ts";
import type { Op } from "../program.ts";
import { sameShape, sizeOf } from "../rule.ts";
import { stridedBackpropInput } from "./blocked_transposed.ts";
import { blockedWeight, depthwiseWeight, type Shape4D } from "./blocked_weight.ts";

/** Whether all channels of a value can be read by a blocked convolution. */
function readable(l: Lowering, id: number): boolean {
  return l.canBlock(id) || l.shape(id)[3]! < l.block;
}

/** The input of a blocked convolution: in blocks, or as NCHW if there are too few channels. */
function input(l: Lowering, id: number): string {
  return l.get(id, l.canBlock(id) ? "blocked" : "channelsFirst");
}

/** A convolution before it is written: what may be merged into it goes to its inputs. */
interface Node {
  readonly inputs: readonly string[];
  readonly attributes: NodeAttributes;
  /** What it takes its images for, `[N,C,H,W]`, if for another number of them and of channels. */
  readonly whole?: readonly number[];
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

type Build = (op: Op, l: Lowering) => Node | undefined;

const conv2d: Build = ({ inputs: [x, filter], attributes }, l) => {
  if (!readable(l, x!)) return undefined;
  const shape = l.shape(filter!) as Shape4D;
  const g = geometry(l.shape(x!), shape, attributes, false);
  const inputs = [input(l, x!), blockedWeight(l, l.get(filter!), shape)];
  return { inputs, attributes: attributesOf(g) };
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
  const inputs = [l.get(x!, "blocked"), depthwiseWeight(l, l.get(filter!), shape)];
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
  const whole = count === c ? [n, c, h, w] : [1, n * c, h, w];
  return { inputs: [l.get(x, "blocked"), weight], attributes: { group: count }, whole };
};

/** A depthwise convolution of a product with one number per channel and image, images as channels. */
const scaledDepthwise: Build = (op, l) => {
  const { inputs: [x, filter, scale], attributes, outputs: [out] } = op;
  const [kh, kw, c, multiplier] = l.shape(filter!) as Shape4D;
  const shape = l.shape(out!);
  if (!l.canBlock(x!) || multiplier !== 1 || !sameShape(l.shape(x!), shape)) return undefined;
  const count = sizeOf(l.shape(scale!)) / c; // images
  const b = l.block;
  const g = geometry(shape, l.shape(filter!), attributes, true);
  const taps = l.reshape(depthwiseWeight(l, l.get(filter!), l.shape(filter!)), [
    1,
    c / b,
    kh * kw,
    b,
  ]);
  const scales = l.reshape(l.get(scale!), [count, c / b, 1, b]);
  const weight = l.reshape(l.emit("Mul", [taps, scales]), [count * c, 1, kh, kw]);
  const [n, h, w] = shape as Shape4D;
  const whole = count === 1 ? [n, c, h, w] : [1, n * c, h, w];
  const inputs = [l.get(x!, "blocked"), weight];
  return { inputs, attributes: attributesOf(g, count * c), whole };
};

const BUILDS: Readonly<Record<string, Build>> = {
  Multiply: scaled,
  Conv2D: conv2d,
  Conv2DBackpropInput: conv2dBackpropInput,
  DepthwiseConv2dNative: depthwise,
  DepthwiseConv2dNativeBackpropInput: depthwiseBackpropInput,
  [scaledName("DepthwiseConv2dNative")]: scaledDepthwise,
};

/** A convolution alone; its result need not have whole blocks of channels. */
function plain(build: Build): Form {
  return (op, l) => {
    const [out] = op.outputs;
    const node = l.block > 0 ? build(op, l) : undefined;
    if (!node) return false;
    if (l.canBlock(out!)) l.put(out!, write(l, out!, node), "blocked");
    else {
      l.put(out!, l.emit("com.microsoft.nchwc/Conv", node.inputs, node.attributes), "padded");
    }
    return true;
  };
}

/** A convolution with what `fuseConvolutions` has merged into it. */
function fused(build: Build): Form {
  return (op, l) => {
    const [out] = op.outputs;
    const { parts: [conv], bias, sum, alpha } = op.attributes as FusedAttributes;
    const node = l.canBlock(out!) ? build(conv!, l) : undefined;
    if (!node) return false;
    const merged = op.inputs.slice(2);
    const name = write(l, out!, node, {
      ...bias && { bias: merged[0]! },
      ...sum && { sum: merged.at(-1)! },
      ...alpha !== undefined && { alpha },
    });
    l.put(out!, name, "blocked");
    return true;
  };
}

/** Writes a convolution to `out`, in blocks, with what is merged into it. */
function write(
  l: Lowering,
  out: number,
  { inputs: [x, weight], attributes, whole }: Node,
  { bias, sum, alpha }: {
    readonly bias?: number;
    readonly sum?: number;
    readonly alpha?: number;
  } = {},
): string {
  const [n, h, w, c] = l.shape(out) as Shape4D;
  const sizes = whole ?? [n, c, h, w];
  const as = (name: string) => sizes[0] === n ? name : l.reshape(name, sizes);
  const biasOf = (id: number) => {
    const one = l.reshape(l.get(id), [c]);
    return sizes[1] === c ? one : l.emit("Tile", [one, l.integers([n])]);
  };
  const sumOf = (id: number) => {
    const one = l.get(id, "blocked");
    return l.shape(id)[0] === n ? one : l.emit("Expand", [one, l.integers([n, c, h, w])]);
  };
  const inputs = [as(x!), weight!];
  if (bias !== undefined || sum !== undefined) inputs.push(bias === undefined ? "" : biasOf(bias));
  if (sum !== undefined) inputs.push(as(sumOf(sum)));
  const name = l.emit("com.microsoft.nchwc/Conv", inputs, {
    ...attributes,
    ...alpha !== undefined && { activation: "LeakyRelu", activation_params: { floats: [alpha] } },
  });
  return sizes[0] === n ? name : l.reshape(name, [n, c, h, w]);
}

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
