/**
 * Windows that slide over the spatial axes of `[N,...,C]`, in TensorFlow.js functions: the part of x
 * that each tap of the window meets, and the way back.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** Sizes along each spatial axis. */
export interface Windows {
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** Completes the geometry: the padding after is what the last window reaches over. */
export function windowsOf(geometry: Omit<Windows, "after">): Windows {
  const { input, output, kernel, strides, dilations, before } = geometry;
  const after = input.map((size, i) => {
    const reached = (output[i]! - 1) * strides[i]! + (kernel[i]! - 1) * dilations[i]! + 1;
    return Math.max(0, reached - before[i]! - size);
  });
  return { ...geometry, after };
}

/** Where each tap lies in the padded input, in reading order. */
function offsets({ kernel, dilations }: Windows): number[][] {
  return kernel.reduce<number[][]>(
    (all, size, axis) =>
      all.flatMap((place) =>
        Array.from({ length: size }, (_, i) => [...place, i * dilations[axis]!])
      ),
    [[]],
  );
}

const spatial = <T>(list: readonly T[], outer: T) => [outer, ...list, outer];

/** The part of x that each tap meets, each of the size of the output. */
export function taps(x: tf.Tensor, windows: Windows, outside = 0): tf.Tensor[] {
  const { before, after, output, strides } = windows;
  const pads = before.map((n, i) => [n, after[i]!] as [number, number]);
  const padded = pads.flat().every((n) => n === 0)
    ? x
    : tf.pad(x, spatial(pads, [0, 0] as [number, number]), outside);
  const [n, c] = [x.shape[0]!, x.shape.at(-1)!];
  return offsets(windows).map((start) => {
    if (strides.every((stride) => stride === 1)) {
      return tf.slice(padded, spatial(start, 0), [n, ...output, c]);
    }
    const end = start.map((at, i) => at + (output[i]! - 1) * strides[i]! + 1);
    return tf.stridedSlice(padded, spatial(start, 0), [n, ...end, c], spatial([...strides], 1));
  });
}

/** The adjoint of {@linkcode taps}: adds the part of each tap where it was taken from. */
export function untaps(parts: readonly tf.Tensor[], windows: Windows): tf.Tensor {
  const { input, before, after, strides } = windows;
  const lengths = input.map((size, i) => before[i]! + size + after[i]!);
  const placed = offsets(windows).map((start, tap) => {
    const wide = strides.reduce((x, stride, i) => spread(x, i + 1, stride), parts[tap]!);
    const pads = start.map((at, i) => [at, lengths[i]! - at - wide.shape[i + 1]!]);
    return tf.pad(wide, spatial(pads, [0, 0]) as [number, number][]);
  });
  const sum = tf.addN(placed);
  const size = spatial(input, -1);
  return tf.slice(sum, spatial(before, 0), size);
}

/** Puts `stride - 1` zeros between the numbers along an axis. */
export function spread(x: tf.Tensor, axis: number, stride: number): tf.Tensor {
  const size = x.shape[axis]!;
  if (stride === 1 || size === 1) return x;
  const cells = tf.expandDims(x, axis + 1);
  const pads = cells.shape.map((_, i) => [0, i === axis + 1 ? stride - 1 : 0] as [number, number]);
  const wide = tf.reshape(tf.pad(cells, pads), x.shape.with(axis, size * stride));
  return sliceAxis(wide, axis, 0, (size - 1) * stride + 1);
}

/** A part along one axis. */
export function sliceAxis(x: tf.Tensor, axis: number, begin: number, size: number): tf.Tensor {
  if (begin === 0 && size === x.shape[axis]) return x;
  return tf.slice(x, x.shape.map((_, i) => i === axis ? begin : 0), x.shape.with(axis, size));
}

/**
 * 1 where a tap holds the extreme of its window and no earlier tap does, for each tap.
 *
 * @param order Which of several equal numbers counts.
 */
export function firstHits(
  parts: readonly tf.Tensor[],
  extreme: tf.Tensor,
  order: "first" | "last" = "first",
): tf.Tensor[] {
  let free: tf.Tensor | undefined;
  const hits: tf.Tensor[] = [];
  const sequence = parts.map((_, i) => i);
  if (order === "last") sequence.reverse();
  for (const i of sequence) {
    const equal = tf.cast(tf.equal(parts[i]!, extreme), "float32");
    hits[i] = free ? tf.mul(equal, free) : equal;
    free = free ? tf.sub(free, hits[i]!) : tf.sub(1, equal);
  }
  return hits;
}
