import { bandPlace, bandsToPixels, haarMatrix } from "../../core/haar_matrix.ts";
import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";

/* The bands of a value are in the order LL of all channels, then LH, HL, HH of each. Here they are
 * brought together by `Gather`, which moves single numbers of channels last quickly; slices and
 * concatenations along the channels are ten times as slow in OpenVINO. */

const MOST_DENSE = 32; // channels of bands; up to it, one product with all of them is as fast
const TO_LAST = [0, 2, 3, 1];
const TO_FIRST = [0, 3, 1, 2];

/** All channels in another order: `out[i] = x[order[i]]`. */
function reorder(
  l: Lowering,
  first: string,
  [n, h, w, c]: readonly number[],
  order: readonly number[],
): string {
  const rows = l.reshape(l.transpose(first, TO_LAST), [n! * h! * w!, c!]);
  const moved = l.emit("Gather", [rows, l.integers(order)], { axis: 1 });
  return l.transpose(l.reshape(moved, [n!, h!, w!, c!]), TO_FIRST);
}

/**
 * The weight `[out,in,1,1]` of a 1x1 convolution of all bands; that of the inverse is the transpose, as
 * the matrix is orthonormal.
 */
function denseWeight(l: Lowering, channels: number, inverse: boolean): string {
  const size = 4 * channels;
  const matrix = bandsToPixels(channels);
  const data = inverse
    ? matrix.map((_, i) => matrix[i % size * size + Math.floor(i / size)]!)
    : matrix;
  return l.float(data, [size, size, 1, 1]);
}

/** The Haar matrix on every four of `size` channels, several fours to a group: groups of 4 are slow. */
function cells(l: Lowering, x: string, size: number): string {
  const group = [16, 8, 4].find((each) => size % each === 0)!;
  const data = new Float32Array(size * group);
  for (let i = 0; i < size; i++) {
    haarMatrix[i % 4]!.forEach((number, k) => {
      data[i * group + (i % group) - i % 4 + k] = number;
    });
  }
  return l.emit("Conv", [x, l.float(data, [size, group, 1, 1])], { group: size / group });
}

/** The Haar transform for OpenVINO. */
export function gatheredHaar({ inputs: [x], outputs: [out] }: Op, l: Lowering): boolean {
  const [n, h, w, size] = l.shape(out!) as [number, number, number, number];
  const channels = size / 4;
  const first = l.get(x!, "channelsFirst");
  if (size <= MOST_DENSE) {
    const pixels = l.emit("SpaceToDepth", [first], { blocksize: 2 });
    l.put(out!, l.emit("Conv", [pixels, denseWeight(l, channels, false)]), "channelsFirst");
    return true;
  }
  const bands = haarMatrix.map((row) => {
    const data = new Float32Array(size);
    for (let c = 0; c < channels; c++) data.set(row, 4 * c);
    const kernel = l.float(data, [channels, 1, 2, 2]);
    return l.emit("Conv", [first, kernel], { group: channels, strides: [2, 2] });
  });
  const order = Array.from({ length: size }, (_, i) => {
    if (i < channels) return i;
    const [c, k] = [Math.floor((i - channels) / 3), (i - channels) % 3 + 1];
    return k * channels + c;
  });
  const all = l.emit("Concat", bands, { axis: 1 });
  l.put(out!, reorder(l, all, [n, h, w, size], order), "channelsFirst");
  return true;
}

/** Its inverse. */
export function gatheredInverseHaar({ inputs: [x], outputs: [out] }: Op, l: Lowering): boolean {
  const shape = l.shape(x!);
  const size = shape[3]!;
  const channels = size / 4;
  const first = l.get(x!, "channelsFirst");
  const dense = size <= MOST_DENSE;
  const order = Array.from(
    { length: size },
    (_, i) => bandPlace(Math.floor(i / 4), i % 4, channels),
  );
  const pixels = dense
    ? l.emit("Conv", [first, denseWeight(l, channels, true)])
    : cells(l, reorder(l, first, shape, order), size);
  const attributes = { blocksize: 2, mode: dense ? "DCR" : "CRD" };
  l.put(out!, l.emit("DepthToSpace", [pixels], attributes), "channelsFirst");
  return true;
}
