import type { Lowering } from "../lowering.ts";

/** Which pixels {@linkcode blockedPick} takes along height and width. */
export interface Picked {
  /** The first pixel; a negative one is before the image. */
  readonly from: readonly [number, number];
  /** How many. */
  readonly size: readonly [number, number];
  /** Distance from one to the next. */
  readonly stride: 1 | 2;
}

/**
 * Pixels of an image in blocks, zeros beyond it: a depthwise convolution with a single one in its
 * kernels, which runs on all threads, as `Pad` and `Slice` do not.
 */
export function blockedPick(
  l: Lowering,
  x: string,
  [channels, ...image]: readonly [number, number, number],
  { from, size, stride }: Picked,
): string {
  const axes = image.map((length, i) => kernelOf(length, from[i]!, size[i]!, stride));
  const [rows, columns] = axes as [Kernel, Kernel];
  const taps = rows.length * columns.length;
  const data = new Float32Array(channels * taps);
  const at = (rows.one * columns.length + columns.one) * l.block;
  for (let block = 0; block < channels / l.block; block++) {
    data.fill(1, block * taps * l.block + at, block * taps * l.block + at + l.block);
  }
  const weight = l.float(data, [channels, 1, rows.length, columns.length]);
  return l.emit("com.microsoft.nchwc/Conv", [x, weight], {
    group: channels,
    strides: [stride, stride],
    pads: [rows.before, columns.before, rows.after, columns.after],
  });
}

interface Kernel {
  /** Where its one is. */
  readonly one: number;
  readonly length: number;
  readonly before: number;
  readonly after: number;
}

/** Along one axis: every window sees a pixel of the image, and there are as many as are wanted. */
function kernelOf(image: number, from: number, size: number, stride: number): Kernel {
  const last = stride * (size - 1); // where the last window starts
  const before = Math.max(0, -from, last - image + 1);
  const one = from + before;
  const length = Math.max(one + 1, before + 1, image + before - last - stride + 1);
  return { one, length, before, after: Math.max(0, last + length - image - before) };
}
