import { bandsToPixels, haarMatrix } from "../../core/haar_matrix.ts";
import type { Lowering } from "../lowering.ts";
import { cellByCell } from "../passes/reorder_bands.ts";
import type { Op } from "../program.ts";

/* The bands of a value are in the order LL of all channels, then LH, HL, HH of each. A convolution of
 * all channels with all bands gives them in that order; most of what it multiplies by is zero, so with
 * many channels they are brought together by `Gather`, which moves single numbers of channels last;
 * slices and concatenations along the channels are ten times as slow in OpenVINO. */

/** Channels of bands; up to these, the zeros cost less (docs/performance.md). */
const MOST_DENSE = { transform: 128, inverse: 64 };
const TO_LAST = [0, 2, 3, 1];
const TO_FIRST = [0, 3, 1, 2];

/** The order in which the inverse would rather read bands. */
export function gatheredOrder(bands: number): readonly number[] | undefined {
  return bands > MOST_DENSE.inverse ? cellByCell(bands) : undefined;
}

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

/** `[bands,channels,2,2]`: pixels of a cell to bands, as the matrix is orthonormal. */
function toBands(l: Lowering, channels: number): string {
  const size = 4 * channels;
  const matrix = bandsToPixels(channels); // [bands,(2,2),channels]
  const data = matrix.map((_, i) => {
    const [band, place] = [Math.floor(i / size), i % size];
    return matrix[band * size + (place % 4) * channels + Math.floor(place / 4)]!;
  });
  return l.float(data, [size, channels, 2, 2]);
}

/** `[(2,2),channels,bands,1,1]`: bands to the pixels of a cell. */
function toPixels(l: Lowering, channels: number): string {
  const size = 4 * channels;
  const matrix = bandsToPixels(channels);
  const data = matrix.map((_, i) => matrix[i % size * size + Math.floor(i / size)]!);
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
  if (size <= MOST_DENSE.transform) {
    const bands = l.emit("Conv", [first, toBands(l, channels)], { strides: [2, 2] });
    l.put(out!, bands, "channelsFirst");
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
export function gatheredInverseHaar(
  { inputs: [x], attributes, outputs: [out] }: Op,
  l: Lowering,
): boolean {
  const shape = l.shape(x!);
  const size = shape[3]!;
  const channels = size / 4;
  const first = l.get(x!, "channelsFirst");
  const byCell = attributes["reordered"] === true;
  const dense = !byCell && size <= MOST_DENSE.inverse;
  const pixels = dense
    ? l.emit("Conv", [first, toPixels(l, channels)])
    : cells(l, byCell ? first : reorder(l, first, shape, cellByCell(size)!), size);
  const mode = dense ? "DCR" : "CRD";
  l.put(out!, l.emit("DepthToSpace", [pixels], { blocksize: 2, mode }), "channelsFirst");
  return true;
}
