/**
 * Resampling by short filters as ONNX Runtime's blocked depthwise convolutions: a few multiply-adds
 * per pixel, where the products with whole matrices take as many as the image is wide.
 *
 * @module
 */
import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";
import type { Shape4D } from "./blocked_weight.ts";
import { type SeparableFilter, separableFilter } from "./separable_filter.ts";

/** Depthwise weights that are the same for all channels. */
function sharedKernel(l: Lowering, channels: number, { taps, size }: SeparableFilter) {
  const data = new Float32Array(channels * taps.length);
  for (let outer = 0; outer < channels / l.block; outer++) {
    taps.forEach((tap, k) => {
      const start = (outer * taps.length + k) * l.block;
      data.fill(tap, start, start + l.block);
    });
  }
  return l.float(data, [channels, 1, ...size]);
}

/** Filters both axes in one pass. */
export function blockedResample(op: Op, l: Lowering): boolean {
  const { inputs: [x], outputs: [out] } = op;
  const filter = l.canBlock(x!) ? separableFilter(op) : undefined;
  if (!filter) return false;
  const [, height, width, channels] = l.shape(x!) as Shape4D;
  const { strides, pads: [top, left, bottom, right] } = filter.attributes;
  const surplus = [height % 2, width % 2] as const;
  // Zeros after the image that are there already are none to pad with.
  const even = !filter.doubles && l.has(x!, "even") && bottom! >= surplus[0] &&
    right! >= surplus[1];
  const blocked = l.get(x!, even ? "even" : "blocked");
  const source = filter.doubles
    ? l.emit("com.microsoft.nchwc/Upsample", [blocked], { scales: [1, 1, 2, 2], mode: "nearest" })
    : blocked;
  const pads = even
    ? [top!, left!, bottom! - surplus[0], right! - surplus[1]]
    : filter.attributes.pads;
  const kernel = sharedKernel(l, channels, filter);
  const attributes = { group: channels, strides, pads };
  l.put(out!, l.emit("com.microsoft.nchwc/Conv", [source, kernel], attributes), "blocked");
  return true;
}
