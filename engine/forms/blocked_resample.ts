/**
 * Resampling by short filters as ONNX Runtime's blocked depthwise convolutions: a few multiply-adds
 * per pixel, where the products with whole matrices take as many as the image is wide.
 *
 * @module
 */
import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";
import type { BlockedNode } from "./blocked_node.ts";
import { scaledDepthwiseWeight, type Shape4D } from "./blocked_weight.ts";
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

/** What the filter moves over: in blocks, doubled if need be, with as many zeros still to be added. */
function source(l: Lowering, x: number, { doubles, attributes }: SeparableFilter) {
  const [, height, width] = l.shape(x) as Shape4D;
  const { pads } = attributes;
  if (doubles) {
    const scales = { scales: [1, 1, 2, 2], mode: "nearest" };
    const name = l.emit("com.microsoft.nchwc/Upsample", [l.get(x, "blocked")], scales);
    return { name, size: [2 * height, 2 * width], pads };
  }
  const [down, right] = [height % 2, width % 2];
  if (!l.has(x, "even") || pads[2]! < down || pads[3]! < right) {
    return { name: l.get(x, "blocked"), size: [height, width], pads };
  }
  return {
    name: l.get(x, "even"),
    size: [height + down, width + right],
    pads: [pads[0]!, pads[1]!, pads[2]! - down, pads[3]! - right],
  };
}

/** Filters both axes in one pass; one number per image and channel is a factor of the filter. */
export function resample(op: Op, l: Lowering): BlockedNode | undefined {
  const [x, scale] = op.inputs as [number, number?];
  const filter = l.canBlock(x) ? separableFilter(op) : undefined;
  if (!filter) return undefined;
  const [n, , , c] = l.shape(x) as Shape4D;
  const { name, size, pads } = source(l, x, filter);
  const shared = sharedKernel(l, c, filter);
  const { weight, images } = scale === undefined
    ? { weight: shared, images: 1 }
    : scaledDepthwiseWeight(l, shared, [...filter.size, c, 1], scale);
  const whole = images > 1;
  return {
    inputs: [whole ? l.reshape(name, [1, n * c, ...size]) : name, weight],
    attributes: { group: images * c, strides: filter.attributes.strides, pads },
    whole,
  };
}
