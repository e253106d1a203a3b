/**
 * Arrays whose elements lie apart by strides, as transposed and sliced tensors are stored.
 *
 * @module
 */

/** Strides of a row-major array of that shape. */
export function rowMajor(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) {
    strides[i] = strides[i + 1]! * Math.max(shape[i + 1]!, 1);
  }
  return strides;
}

/** Puts the elements of a strided array in row-major order. */
export function gather(
  source: Float32Array,
  shape: readonly number[],
  strides: readonly number[],
): Float32Array<ArrayBuffer> {
  const result = new Float32Array(shape.reduce((product, size) => product * size, 1));
  const inner = shape.at(-1) ?? 1;
  const step = strides.at(-1) ?? 1;
  const index = new Array<number>(shape.length).fill(0);
  for (let to = 0, start = 0; to < result.length;) {
    for (let i = 0, from = start; i < inner; i++, from += step) result[to++] = source[from]!;
    for (let axis = shape.length - 2; axis >= 0; axis--) {
      index[axis]!++;
      start += strides[axis]!;
      if (index[axis]! < shape[axis]!) break;
      start -= shape[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}
