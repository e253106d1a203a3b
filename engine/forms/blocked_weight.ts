/**
 * Weights of ONNX Runtime's blocked convolutions. A block holds b channels, innermost:
 * `[O/b,I/b,kh,kw,b of I,b of O]`, or `[O/b,I,kh,kw,b of O]` for inputs of fewer than b channels,
 * which are read as NCHW.
 *
 * @module
 */
import type { Lowering } from "../lowering.ts";
import { sizeOf } from "../rule.ts";

/** Four sizes: of an image `[N,H,W,C]` or of a filter `[kh,kw,I,O]`. */
export type Shape4D = readonly [number, number, number, number];

/**
 * Blocked weights of an HWIO filter. `adjoint` turns it by 180 degrees and swaps its channels, as the
 * gradient of the input takes it.
 */
export function blockedWeight(
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
    ? [iBlock, oBlock, 0, 1, iInner, oInner]
    : [oBlock, iBlock, 0, 1, iInner, oInner];
  const moved = l.transpose(l.reshape(name, split), perm.filter((axis) => axis >= 0));
  // Channels within a block are exchanged after blocks are moved: both at once take five times as long.
  const isExchanged = adjoint && iSplits && oSplits;
  const blocks = isExchanged ? l.transpose(l.reshape(moved, [-1, b, b]), [0, 2, 1]) : moved;
  return l.reshape(blocks, [padded, from, kh, kw]);
}

/**
 * The blocked weights of an HWIO filter, of whole blocks of inputs, times one number per image and
 * channel that it reads or makes: one after the other for as many images as there are numbers for.
 */
export function scaledWeight(
  l: Lowering,
  weight: string,
  [kh, kw, ci, co]: Shape4D,
  { reads, makes }: { readonly reads?: number; readonly makes?: number },
): { readonly weight: string; readonly images: number } {
  const b = l.block;
  const [from, to] = [ci / b, Math.ceil(co / b)];
  const imagesOf = (id: number | undefined, c: number) =>
    id === undefined ? 1 : sizeOf(l.shape(id)) / c;
  const images = Math.max(imagesOf(reads, ci), imagesOf(makes, co));
  const factors: string[] = [];
  if (reads !== undefined) {
    factors.push(l.reshape(l.get(reads), [imagesOf(reads, ci), 1, from, 1, b, 1]));
  }
  if (makes !== undefined) {
    factors.push(l.reshape(l.get(makes), [imagesOf(makes, co), to, 1, 1, 1, b]));
  }
  const factor = factors.reduce((a, b) => l.emit("Mul", [a, b]));
  const scaled = l.emit("Mul", [l.reshape(weight, [1, to, from, kh * kw, b, b]), factor]);
  return { weight: l.reshape(scaled, [images * to * b, ci, kh, kw]), images };
}

/** `[kh,kw,C,1]` as the weights of a blocked depthwise convolution. */
export function depthwiseWeight(
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

/** Blocked depthwise weights times one number per channel that is read, or per image and channel. */
export function scaledDepthwiseWeight(
  l: Lowering,
  weight: string,
  [kh, kw, c]: Shape4D,
  scale: number,
): { readonly weight: string; readonly images: number } {
  const b = l.block;
  const images = sizeOf(l.shape(scale)) / c;
  const scaled = l.emit("Mul", [
    l.reshape(weight, [1, c / b, kh * kw, b]),
    l.reshape(l.get(scale), [images, c / b, 1, b]),
  ]);
  return { weight: l.reshape(scaled, [images * c, 1, kh, kw]), images };
}
