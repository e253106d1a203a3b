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
import { type FusedAttributes, fusedName, scaleOf } from "../passes/fuse_convolutions.ts";
import type { Op } from "../program.ts";
import { sizeOf } from "../rule.ts";

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

const BUILDS: Readonly<Record<string, Build>> = {
  Multiply: scaled,
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
    if (l.canBlock(out!)) l.put(out!, write(l, out!, node), "blocked");
    else {
      const name = l.emit("com.microsoft.nchwc/Conv", node.inputs, node.attributes);
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

/** Convolutions of stride 2 to the input, which `Conv` alone cannot do. */
const stridedBackpropInput: Form = ({ inputs: [dy, filter], attributes, outputs: [out] }, l) => {
  const shape = l.shape(filter!) as Shape4D;
  const g = geometry(attributes["inputShape"], shape, attributes, false);
  const fits = g.strides.every((n) => n === 2) && g.dilations.every((n) => n === 1) &&
    g.kernel.every((n) => n > 1);
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
 * `dy` with the taps of that parity, a quarter of all; their pixels then interleave.
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
  // Pixel u = y + before of the result is number u / 2 of its parity.
  const rows = Math.ceil((g.before[0] + height!) / 2);
  const columns = Math.ceil((g.before[1] + width!) / 2);
  const quarter = (down: number, right: number) => {
    const taps = [Math.ceil((kh - down) / 2), Math.ceil((kw - right) / 2)] as const;
    const part = l.slice(filter, [down, right], [kh, kw], [0, 1], [2, 2]);
    const weight = blockedWeight(l, part, [...taps, ci, co], { adjoint: true });
    const pads = [taps[0] - 1, taps[1] - 1, rows - h!, columns - w!];
    return l.emit("com.microsoft.nchwc/Conv", [dy, weight], { pads });
  };
  /** Takes runs of numbers from the one and the other in turn. */
  const interleave = (pair: readonly string[], run: number) =>
    l.emit("Concat", pair.map((name) => l.reshape(name, [-1, run])), { axis: 1 });
  const halves = [0, 1].map((down) => interleave([quarter(down, 0), quarter(down, 1)], b));
  const pixels = l.reshape(
    interleave(halves, 2 * columns * b),
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
