/**
 * How PyTorch's weights are laid out, and the same weights as TensorFlow.js takes them.
 *
 * @module
 */
import type { HostArray } from "../../core/contracts.ts";
import { gather, rowMajor } from "../../core/strided.ts";

/** Reorders the axes: axis i of the result is axis `order[i]` of the array. */
function permute({ shape, data }: HostArray, order: readonly number[]): HostArray {
  const strides = rowMajor(shape);
  const sizes = order.map((axis) => shape[axis]!);
  return { shape: sizes, data: gather(data, sizes, order.map((axis) => strides[axis]!)) };
}

const reshaped = ({ data }: HostArray, shape: readonly number[]): HostArray => ({ shape, data });

/** The last four axes: `[1,O,I,h,w]` of modulated kernels is `[O,I,h,w]`. */
function kernelOf(array: HostArray): HostArray {
  return reshaped(array, array.shape.slice(-4));
}

/** Turns a kernel `[O,I,h,w]` by 180 degrees. */
function turned({ shape, data }: HostArray): HostArray {
  const taps = shape[2]! * shape[3]!;
  const result = new Float32Array(data.length);
  for (let start = 0; start < data.length; start += taps) {
    result.set(data.subarray(start, start + taps).toReversed(), start);
  }
  return { shape, data: result };
}

/** Each layout by name; every function gives a new array or shares the old one's data. */
export const layouts = {
  /** `[C]`, `[1,C,1,1]` or a scalar to `[C]`. */
  vector: (array: HostArray) => reshaped(array, [array.data.length]),
  /** `[out,in]` to `[in,out]`. */
  linear: (array: HostArray) => permute(array, [1, 0]),
  /** `[O,I,h,w]` to `[h,w,I,O]`. */
  conv: (array: HostArray) => permute(kernelOf(array), [2, 3, 1, 0]),
  /** The same for a kernel of a transposed convolution, which our correlation needs turned. */
  turnedConv: (array: HostArray) => permute(turned(kernelOf(array)), [2, 3, 1, 0]),
  /** `[C,1,h,w]` to `[h,w,C,1]`. */
  depthwise: (array: HostArray) => permute(array, [2, 3, 0, 1]),
  /** `[C,4,4]` or `[1,C,4,4]` to `[1,4,4,C]`. */
  constant: (array: HostArray) =>
    permute(reshaped(array, [1, ...array.shape.slice(-3)]), [0, 2, 3, 1]),
  /** `[out, C 4 4]`, channel by channel, to `[4 4 C, out]`: our features are flattened NHWC. */
  flattened: (array: HostArray) => {
    const [outputs, inputs] = array.shape as [number, number];
    const grid = reshaped(array, [outputs, inputs / 16, 4, 4]);
    return reshaped(permute(grid, [2, 3, 1, 0]), [inputs, outputs]);
  },
  /** `[r,r]` or `[1,1,r,r]` to `[1,r,r,1]`. */
  noise: (array: HostArray) => reshaped(array, [1, ...array.shape.slice(-2), 1]),
} satisfies Record<string, (array: HostArray) => HostArray>;

/** Name of a layout. */
export type Layout = keyof typeof layouts;
