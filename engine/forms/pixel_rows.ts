import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";
import { blockedWeight } from "./blocked_weight.ts";

/**
 * `DepthToSpace` of few channels, which a blocked convolution has left in blocks with room to spare.
 * Another one gives the parts of every row of pixels blocks of their own: with channels last, each is
 * whole rows then, and moving short runs of numbers takes five times as long.
 */
export function pixelRows(
  { inputs: [x], attributes: { blockSize }, outputs: [out] }: Op,
  l: Lowering,
): boolean {
  if (!l.has(x!, "padded")) return false;
  const channels = l.shape(x!)[3]!;
  const same = new Float32Array(channels ** 2);
  for (let i = 0; i < channels; i++) same[i * (channels + 1)] = 1;
  l.put(out!, transformedRows(l, x!, same, blockSize));
  return true;
}

/**
 * Rows of pixels from channels that lie in blocks with room to spare, each multiplied by a matrix
 * `[C,C]` first: `[N,H,W,C]` to `[N,size H,size W,C / size^2]`.
 */
export function transformedRows(
  l: Lowering,
  x: number,
  matrix: Float32Array,
  size: number,
): string {
  const [n, h, w, c] = l.shape(x) as [number, number, number, number];
  const blocks = (channels: number) => Math.ceil(channels / l.block) * l.block;
  const [from, run] = [blocks(c), c / size];
  const to = size * blocks(run);
  const weights = new Float32Array(from * to);
  matrix.forEach((number, i) => {
    const [channel, place] = [Math.floor(i / c), i % c];
    weights[channel * to + Math.floor(place / run) * blocks(run) + place % run] = number;
  });
  const filter = blockedWeight(l, l.float(weights, [1, 1, from, to]), [1, 1, from, to]);
  const parts = l.emit("com.microsoft.nchwc/Conv", [l.get(x, "padded"), filter]);
  const pixels = l.emit(
    "com.microsoft.nchwc/ReorderOutput",
    [l.reshape(parts, [n * size, blocks(run), h, w])],
    { channels: run, channels_last: 1 },
  );
  const rows = l.transpose(l.reshape(pixels, [n, size, h, w * run]), [0, 2, 1, 3]);
  return l.reshape(rows, [n, size * h, size * w, run / size]);
}
