/**
 * Resampling by short filters as ONNX Runtime's blocked depthwise convolutions: a few multiply-adds
 * per pixel, where the products with whole matrices take as many as the image is wide.
 *
 * @module
 */
import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";
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
  const channels = l.shape(x!)[3]!;
  const blocked = l.get(x!, "blocked");
  const source = filter.doubles
    ? l.emit("com.microsoft.nchwc/Upsample", [blocked], { scales: [1, 1, 2, 2], mode: "nearest" })
    : blocked;
  const kernel = sharedKernel(l, channels, filter);
  const attributes = { group: channels, ...filter.attributes };
  l.put(out!, l.emit("com.microsoft.nchwc/Conv", [source, kernel], attributes), "blocked");
  return true;
}
