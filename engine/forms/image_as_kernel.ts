import { geometry } from "../kernels/geometry.ts";
import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";
import { scaledSum } from "./scaled_sum.ts";

const FEWEST = 256; // pixels of dy; with fewer, what images spare in time is not worth their nodes

/**
 * The filter's gradient of a depthwise convolution for OpenVINO: a depthwise convolution of x in which
 * dy is the kernel. A product and a sum per tap pass over memory nine times as often.
 *
 * One convolution per image: their parts with channels last are taken for nothing, where all images
 * among the channels of one convolution need both sides moved.
 *
 * A third input is what x is multiplied by, one number per channel and image.
 */
export function imageAsKernel(
  { inputs: [x, dy, scale], attributes, outputs: [out] }: Op,
  l: Lowering,
): boolean {
  const [n, height, width, channels] = l.shape(x!) as [number, number, number, number];
  const g = geometry(l.shape(x!), l.shape(out!), attributes, true);
  const dense = [...g.strides, ...g.dilations].every((size) => size === 1);
  if (!dense || g.multiplier > 1) return false;
  const [, h, w] = g.outShape as [number, number, number, number];
  const [kh, kw] = g.kernel;
  const pads = [...g.before, ...g.after];
  const sides = h * w < FEWEST ? together : apart;
  const images = sides(l, x!, [n, height, width, channels]);
  const kernels = sides(l, dy!, [n, h, w, channels]);
  const taps = images.map((image, i) => {
    const group = h * w < FEWEST ? n * channels : channels;
    const kernel = l.reshape(kernels[i]!, [group, 1, h, w]);
    return l.emit("Conv", [image, kernel], { group, pads });
  });
  const all = taps.length === 1 ? taps[0]! : l.emit("Concat", taps, { axis: 0 });
  const each = l.reshape(all, [n, channels, kh * kw]);
  const sums = scale === undefined ? l.sum(each, [0]) : scaledSum(l, each, scale, [channels, 1]);
  l.put(out!, l.reshape(l.transpose(sums, [1, 0]), [kh, kw, channels, 1]));
  return true;
}

type Shape4D = readonly [number, number, number, number];

/** `[n,pixels,channels]`: three axes, whose layout is no choice for OpenVINO. */
function pixels(l: Lowering, id: number, [n, h, w, c]: Shape4D): string {
  if (l.has(id, "channelsLast")) return l.reshape(l.get(id, "channelsLast"), [n, h * w, c]);
  return l.transpose(l.reshape(l.get(id, "channelsFirst"), [n, c, h * w]), [0, 2, 1]);
}

/** All images as channels of one, `[1,n c,h,w]`. */
function together(l: Lowering, id: number, shape: Shape4D): string[] {
  const [n, h, w, c] = shape;
  const inside = l.reshape(l.transpose(pixels(l, id, shape), [1, 0, 2]), [1, h, w, n * c]);
  return [l.transpose(inside, [0, 3, 1, 2])];
}

/** Each image, `[1,c,h,w]`. */
function apart(l: Lowering, id: number, shape: Shape4D): string[] {
  const each = l.split(l.reshape(pixels(l, id, shape), shape), Array(shape[0]).fill(1), 0);
  return each.map((image) => l.transpose(image, [0, 3, 1, 2]));
}
