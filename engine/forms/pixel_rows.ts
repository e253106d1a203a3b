import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";

/**
 * `DepthToSpace` of few channels, which a blocked convolution has left in blocks with room to spare:
 * with channels last, a row of pixels is made of whole runs of numbers, and one transpose suffices.
 */
export function pixelRows(
  { inputs: [x], attributes: { blockSize }, outputs: [out] }: Op,
  l: Lowering,
): boolean {
  if (!l.has(x!, "padded")) return false;
  const [n, h, w, c] = l.shape(x!) as [number, number, number, number];
  const cells = l.reshape(l.get(x!), [n * h, w, blockSize, c / blockSize]);
  l.put(out!, l.reshape(l.transpose(cells, [0, 2, 1, 3]), l.shape(out!)));
  return true;
}
