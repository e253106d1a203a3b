import { geometry } from "../kernels/convolution.ts";
import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";

/**
 * The filter's gradient of a depthwise convolution for OpenVINO: a depthwise convolution of x in which
 * dy is the kernel, with the images of the batch among the channels. A product and a sum per tap pass
 * over memory nine times as often.
 */
export function imageAsKernel(
  { inputs: [x, dy], attributes, outputs: [out] }: Op,
  l: Lowering,
): boolean {
  const [n, height, width, channels] = l.shape(x!) as [number, number, number, number];
  const g = geometry(l.shape(x!), l.shape(out!), attributes, true);
  const dense = [...g.strides, ...g.dilations].every((size) => size === 1);
  if (!dense || g.multiplier > 1) return false;
  const [, h, w] = g.outShape as [number, number, number, number];
  const group = n * channels;
  const inside = (id: number, [rows, columns]: readonly [number, number]) => {
    const last = l.transpose(l.get(id, "channelsFirst"), [0, 2, 3, 1]);
    const pixels = l.transpose(l.reshape(last, [n, rows * columns, channels]), [1, 0, 2]);
    return l.transpose(l.reshape(pixels, [1, rows, columns, group]), [0, 3, 1, 2]);
  };
  const kernel = l.reshape(inside(dy!, [h, w]), [group, 1, h, w]);
  const pads = [...g.before, ...g.after];
  const each = l.emit("Conv", [inside(x!, [height, width]), kernel], { group, pads });
  const [kh, kw] = g.kernel;
  const sums = l.sum(l.reshape(each, [n, channels, kh * kw]), [0]);
  l.put(out!, l.reshape(l.transpose(sums, [1, 0]), [kh, kw, channels, 1]));
  return true;
}
