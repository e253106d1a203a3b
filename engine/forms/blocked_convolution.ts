/**
 * Convolutions of ONNX Runtime's own layout, in which channels lie in blocks (NCHWc). Its optimiser
 * uses these operators for constant weights only; written by us they take weights that train, several
 * times faster than `Conv`, which copies every window first (figures in `docs/performance.md`).
 *
 * A block holds b channels, innermost. Weights are `[O/b,I/b,kh,kw,b of I,b of O]`, or `[O/b,I,kh,kw,b
 * of O]` for inputs of fewer than b channels, which are read as NCHW.
 *
 * @module
 */
import { type Geometry, geometry } from "../kernels/convolution.ts";
import type { Form, Lowering } from "../lowering.ts";
import type { Attributes as NodeAttributes } from "../onnx_model.ts";
import { type FusedAttributes, fusedName } from "../passes/fuse_convolutions.ts";
import type { Op } from "../program.ts";

type Shape4D = readonly [number, number, number, number];

/** Whether all channels of a value can be read by a blocked convolution. */
function readable(l: Lowering, id: number): boolean {
  return l.canBlock(id) || l.shape(id)[3]! < l.block;
}

/** The input of a blocked convolution: in blocks, or as NCHW if there are too few channels. */
function input(l: Lowering, id: number): string {
  return l.get(id, l.canBlock(id) ? "blocked" : "channelsFirst");
}

/**
 * Blocked weights of an HWIO filter. `adjoint` turns it by 180 degrees and swaps its channels, as the
 * gradient of the input takes it.
 */
function blockedWeight(
  l: Lowering,
  filter: string,
  [kh, kw, ci, co]: Shape4D,
  { adjoint = false }: { readonly adjoint?: boolean } = {},
): string {
  const b = l.block;
  const [from, to] = adjoint ? [co, ci] : [ci, co];
  let name = filter;
  if (adjoint && kh * kw > 1) name = l.slice(name, [-1, -1], [-kh - 1, -kw - 1], [0, 1], [-1, -1]);
  const padded = Math.ceil(to / b) * b;
  const [i, o] = adjoint ? [padded, co] : [ci, padded];
  if (padded > to) name = l.pad(name, [0, 0, 0, 0], [0, 0, i - ci, o - co]);
  // [kh,kw,I,O] with each axis of channels split into blocks where it has any.
  const iSplits = i >= b;
  const oSplits = o >= b;
  const split = [kh, kw, ...iSplits ? [i / b, b] : [i], ...oSplits ? [o / b, b] : [o]];
  const [iBlock, iInner] = iSplits ? [2, 3] : [2, -1];
  const oAt = iSplits ? 4 : 3;
  const [oBlock, oInner] = oSplits ? [oAt, oAt + 1] : [oAt, -1];
  const perm = adjoint
    ? [iBlock, oBlock, 0, 1, oInner, iInner]
    : [oBlock, iBlock, 0, 1, iInner, oInner];
  const moved = l.transpose(l.reshape(name, split), perm.filter((axis) => axis >= 0));
  return l.reshape(moved, [padded, from, kh, kw]);
}

/** A convolution before it is written: what may be merged into it goes to its inputs. */
interface Node {
  readonly inputs: readonly string[];
  readonly attributes: NodeAttributes;
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

const BUILDS: Readonly<Record<string, Build>> = {
  Conv2D: conv2d,
  Conv2DBackpropInput: conv2dBackpropInput,
  DepthwiseConv2dNative: depthwise,
  DepthwiseConv2dNativeBackpropInput: depthwiseBackpropInput,
};

/** A convolution alone; its result may have fewer channels than a block. */
function plain(build: Build): Form {
  return (op, l) => {
    const [out] = op.outputs;
    const node = readable(l, out!) ? build(op, l) : undefined;
    if (!node) return false;
    const name = l.emit("com.microsoft.nchwc/Conv", node.inputs, node.attributes);
    if (l.canBlock(out!)) l.put(out!, name, "blocked");
    else {
      const attributes = { channels: l.shape(out!)[3]!, channels_last: 0 };
      const first = l.emit("com.microsoft.nchwc/ReorderOutput", [name], attributes);
      l.put(out!, first, "channelsFirst");
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
    const biasName = bias ? l.reshape(l.get(merged[0]!), [l.shape(out!)[3]!]) : "";
    const inputs = [
      ...node.inputs,
      ...bias || sum ? [biasName] : [],
      ...sum ? [l.get(merged.at(-1)!, "blocked")] : [],
    ];
    const name = l.emit("com.microsoft.nchwc/Conv", inputs, {
      ...node.attributes,
      ...alpha !== undefined && { activation: "LeakyRelu", activation_params: { floats: [alpha] } },
    });
    l.put(out!, name, "blocked");
    return true;
  };
}

/** Convolutions of stride 2 to the input, which `Conv` alone cannot do. */
const stridedBackpropInput: Form = ({ inputs: [dy, filter], attributes, outputs: [out] }, l) => {
  const shape = l.shape(filter!) as Shape4D;
  const g = geometry(attributes["inputShape"], shape, attributes, false);
  const fits = g.strides.every((n) => n === 2) && g.dilations.every((n) => n === 1);
  if (!fits || !l.canBlock(dy!) || !l.canBlock(out!)) return false;
  l.put(out!, phases(l, l.get(dy!, "blocked"), l.get(filter!), shape, g, l.shape(out!)), "spread");
  return true;
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

/**
 * A transposed convolution of stride 2. The pixels of each of the four parities are a convolution of
 * `dy` with a quarter of the taps: one convolution makes them all as channels, which then interleave.
 */
function phases(
  l: Lowering,
  dy: string,
  filter: string,
  [kh, kw, ci, co]: Shape4D,
  g: Geometry,
  [n, height, width]: readonly number[],
): string {
  const b = l.block;
  const [, h, w] = g.outShape;
  const taps = [Math.ceil(kh / 2), Math.ceil(kw / 2)] as const; // per parity
  const even = l.pad(filter, [0, 0, 0, 0], [2 * taps[0] - kh, 2 * taps[1] - kw, 0, 0]);
  const split = l.reshape(even, [taps[0], 2, taps[1], 2, ci / b, b, co / b, b]);
  const turned = l.slice(split, [-1, -1], [-kh - 1, -kw - 1], [0, 2], [-1, -1]);
  const weight = l.reshape(
    l.transpose(turned, [1, 3, 4, 6, 0, 2, 7, 5]),
    [4 * ci, co, ...taps],
  );
  // Pixel u = y + before of the result is number u / 2 of its parity.
  const rows = Math.ceil((g.before[0] + height!) / 2);
  const columns = Math.ceil((g.before[1] + width!) / 2);
  const pads = [taps[0] - 1, taps[1] - 1, rows - h!, columns - w!];
  const quarters = l.emit("com.microsoft.nchwc/Conv", [dy, weight], { pads });
  const cells = l.reshape(quarters, [n!, 2, 2, ci / b, rows, columns, b]);
  const pixels = l.reshape(
    l.transpose(cells, [0, 3, 4, 1, 5, 2, 6]),
    [n!, ci / b, 2 * rows, 2 * columns, b],
  );
  const [top, left] = g.before;
  if (top === 0 && left === 0 && 2 * rows === height && 2 * columns === width) return pixels;
  return l.slice(pixels, [top, left], [top + height!, left + width!], [2, 3]);
}

/** `[kh,kw,C,1]` as the weights of a blocked depthwise convolution. */
function depthwiseWeight(
  l: Lowering,
  filter: string,
  [kh, kw, channels]: readonly number[],
  { adjoint = false }: { readonly adjoint?: boolean } = {},
): string {
  const b = l.block;
  const turned = adjoint
    ? l.slice(filter, [-1, -1], [-kh! - 1, -kw! - 1], [0, 1], [-1, -1])
    : filter;
  const split = l.reshape(turned, [kh!, kw!, channels! / b, b]);
  return l.reshape(l.transpose(split, [2, 0, 1, 3]), [channels!, 1, kh!, kw!]);
}
