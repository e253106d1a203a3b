import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";
import {
  PRODUCTS,
  RESULTS,
  TAPS,
  TILE,
  TURNED_TAPS,
  type WinogradAttributes,
  type WinogradFilterAttributes,
} from "../winograd.ts";
import type { BlockedNode } from "./blocked_node.ts";
import type { Shape4D } from "./blocked_weight.ts";
import {
  sharedPixels,
  sizeOfStrip,
  type Strip,
  stripsOfConvolution,
  stripsOfGradients,
  transformedPixels,
} from "./winograd_tiles.ts";

/** A convolution by products. */
export function winogradConv2D(op: Op, l: Lowering): boolean {
  const [out] = op.outputs as [number];
  if (l.canBlock(out)) l.put(out, blocked(op, l), "blocked");
  else l.put(out, channelsLast(op, l));
  return true;
}

/** The same for what is merged into it: a depthwise convolution by one does that in one pass. */
export function winogradBuild(op: Op, l: Lowering): BlockedNode | undefined {
  const [out] = op.outputs as [number];
  if (!l.canBlock(out)) return undefined;
  const group = l.shape(out)[3]!;
  const ones = l.float(new Float32Array(group).fill(1), [group, 1, 1, 1]);
  return { inputs: [blocked(op, l), ones], attributes: { group } };
}

const blocked = (op: Op, l: Lowering): string =>
  l.emit("com.microsoft.nchwc/ReorderInput", [channelsLast(op, l)], { channels_last: 1 });

/** The result with channels last: strip after strip, each in four steps over rows of channels. */
function channelsLast({ inputs, attributes, outputs: [out] }: Op, l: Lowering): string {
  const [x, filter] = inputs as [number, number];
  const { before, isShared } = attributes as WinogradAttributes;
  const size = l.shape(out!) as Shape4D;
  const [n, h, w, to] = size;
  const strips = isShared
    ? stripsOfGradients(l, x, size, false).flatMap((group) => group.strips)
    : stripsOfConvolution(l, x, size);
  const pixels = isShared ? sharedPixels : transformedPixels;
  const made = strips.map((strip) => {
    const tiles = sizeOfStrip(strip);
    const products = l.emit("MatMul", [pixels(l, x, before, strip), l.get(filter)]);
    const rows = l.reshape(products, [PRODUCTS, tiles * to]);
    const results = l.emit("MatMul", [l.float(RESULTS, [TILE * TILE, PRODUCTS]), rows]);
    const order = orderOf(strip, h, w);
    const places = l.constant(order, [order.length], "int32");
    return l.emit("Gather", [l.reshape(results, [TILE * TILE * tiles, to]), places]);
  });
  const whole = made.length === 1 ? made[0]! : l.emit("Concat", made, { axis: 0 });
  return l.reshape(whole, [n, h, w, to]);
}

/** A filter as the products want it; of a constant one the runtime computes that once. */
export function winogradFilter({ inputs, attributes, outputs }: Op, l: Lowering): boolean {
  const { adjoint } = attributes as WinogradFilterAttributes;
  const [filter] = inputs as [number];
  const [, , ci, co] = l.shape(filter) as Shape4D;
  const matrix = l.float(adjoint ? TURNED_TAPS : TAPS, [PRODUCTS, 9]);
  const product = l.emit("MatMul", [matrix, l.reshape(l.get(filter), [9, ci * co])]);
  const taps = l.reshape(product, [PRODUCTS, ci, co]);
  l.put(outputs[0]!, adjoint ? l.transpose(taps, [0, 2, 1]) : taps);
  return true;
}

/** Which number of the tiles, `[16,tiles]`, every pixel of a strip is; those beyond the border are none. */
function orderOf({ rows, columns }: Strip, h: number, w: number): Int32Array {
  const tiles = rows.length * columns;
  const order: number[] = [];
  for (const [i, [, row]] of rows.entries()) {
    const height = Math.min(TILE, h - row * TILE);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < w; x++) {
        order.push((y * TILE + x % TILE) * tiles + i * columns + Math.floor(x / TILE));
      }
    }
  }
  return Int32Array.from(order);
}
