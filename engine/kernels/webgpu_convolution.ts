/**
 * Convolutions in forms that ONNX Runtime's WebGPU provider computes rightly (1.30, measured against
 * the CPU by `tests/engine/webgpu_test.ts`).
 *
 * @module
 */
import type { Lowering } from "../lowering.ts";
import type { Attributes } from "../program.ts";

/**
 * A convolution of one group, `x` `[N,I,H,W]` and `weight` `[O,I,kh,kw]`. With a number of input
 * channels that 3 divides and 4 does not, its shader of vectors of 4 is wrong
 * (microsoft/onnxruntime#29651): zeros fill the channels up.
 */
export function convolution(
  l: Lowering,
  x: string,
  weight: string,
  channels: number,
  attributes: Attributes,
): string {
  const extra = l.target === "webgpu" && channels > 3 && channels % 3 === 0 ? -channels & 3 : 0;
  const filled = (name: string) => l.pad(name, [0, 0, 0, 0], [0, extra, 0, 0]);
  return l.emit("Conv", [filled(x), filled(weight)], attributes);
}

/** The geometry of the convolution whose input's gradient is wanted, along both axes. */
interface Strided {
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly before: readonly [number, number];
  readonly kernel: readonly [number, number];
}

/**
 * The gradient of a depthwise convolution's input without a grouped ConvTranspose, which the
 * provider gets wrong: `dy` `[N,C*M,h,w]` spread by zeros, then a convolution with the turned kernel
 * `[C,M,kh,kw]` in C groups.
 */
export function depthwiseInputGradient(
  l: Lowering,
  dy: string,
  turned: string,
  { strides, dilations, before, kernel }: Strided,
  { dyShape, size, group }: {
    /** `[N,C*M,h,w]`. */
    readonly dyShape: readonly [number, number, number, number];
    /** Height and width of the input. */
    readonly size: readonly [number, number];
    readonly group: number;
  },
): string {
  const [n, channels, h, w] = dyShape;
  const spreadSize = [h * strides[0], w * strides[1]] as const; // with zeros after the last, too
  const cells = l.reshape(dy, [n * channels, h, 1, w, 1]);
  const zeros = l.pad(cells, [0, 0, 0, 0, 0], [0, 0, strides[0] - 1, 0, strides[1] - 1]);
  const spread = l.reshape(zeros, [n, channels, ...spreadSize]);
  const first = [0, 1].map((i) => (kernel[i]! - 1) * dilations[i]! - before[i]!);
  const last = [0, 1].map((i) => size[i]! - spreadSize[i]! + before[i]!);
  const outside = (list: readonly number[]) => [0, 0, ...list.map((count) => Math.max(0, count))];
  const inside = (list: readonly number[]) => list.map((count) => Math.max(0, -count));
  const padded = l.pad(spread, outside(first), outside(last));
  const [top, left] = inside(first) as [number, number];
  const ends = [0, 1].map((i) => size[i]! + (kernel[i]! - 1) * dilations[i]! + [top, left][i]!);
  const cut = [...inside(first), ...inside(last)].some((count) => count > 0)
    ? l.slice(padded, [top, left], ends, [2, 3])
    : padded;
  return l.emit("Conv", [cut, turned], { dilations, group });
}
