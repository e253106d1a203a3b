/**
 * Sums and means of values in ONNX Runtime's blocked layout, in steps that it is fast at.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";
import { sizeOf } from "../rule.ts";

/** `Sum` and `Mean` over images, over pixels, or over both. */
export function blockedReduction(
  { kernel, inputs: [x], attributes, outputs: [out] }: Op,
  l: Lowering,
): boolean {
  if (!l.isBlocked(x!)) return false;
  const shape = l.shape(x!);
  const axes = tf.util.parseAxisParam(attributes["axis"], [...shape]).toSorted().join();
  const reduced = reduce(l, x!, axes);
  if (reduced === undefined) return false;
  const share = sizeOf(l.shape(out!)) / sizeOf(shape);
  const scaled = kernel === "Mean" ? l.emit("Mul", [reduced, l.scalar(share)]) : reduced;
  l.put(out!, l.reshape(scaled, l.shape(out!)));
  return true;
}

/** The sum over some axes, with the numbers that are left in the order of NHWC. */
function reduce(l: Lowering, x: number, axes: string): string | undefined {
  const [n, h, w, c] = l.shape(x) as [number, number, number, number];
  if (axes === "0") {
    // A product with ones: ReduceSum over the first axis takes twice the time.
    const ones = l.float(new Float32Array(n).fill(1), [1, n]);
    const sum = l.emit("MatMul", [ones, l.reshape(l.get(x, "blocked"), [n, c * h * w])]);
    return l.emit("com.microsoft.nchwc/ReorderOutput", [l.reshape(sum, [1, c, h, w])], {
      channels: c,
      channels_last: 1,
    });
  }
  if (axes !== "1,2" && axes !== "0,1,2" && axes !== "0,1,2,3") return undefined;
  // Rows, then columns: faster than both at once, and a tenth of the rounding error.
  const perImage = l.sum(l.sum(l.get(x, "spread"), [2]), [2]); // [N,C/b,b]
  return axes === "1,2" ? perImage : l.sum(perImage, axes === "0,1,2" ? [0] : [0, 1, 2]);
}

// One after the other, more terms than this lose digits.
const MOST_TERMS = 128 * 128;

/**
 * Sums over pixels of a product, as gradients of factors are: a depthwise convolution over all
 * channels of all images with kernels as large as the images, in one pass.
 */
export function blockedSumOfProducts(
  { inputs: [a, b], attributes, outputs: [out] }: Op,
  l: Lowering,
): boolean {
  const [n, h, w, c] = l.shape(a!) as [number, number, number, number];
  const ready = l.canBlock(a!) && (l.isBlocked(a!) || l.isBlocked(b!));
  if (!ready || h * w === 1 || h * w > MOST_TERMS) return false;
  const images = l.reshape(l.get(a!, "blocked"), [1, n * c, h, w]);
  const kernels = l.reshape(l.get(b!, "blocked"), [n * c, 1, h, w]);
  const sums = l.emit("com.microsoft.nchwc/Conv", [images, kernels], { group: n * c });
  const perImage = l.reshape(sums, [n, c]);
  l.put(out!, l.reshape(attributes["images"] ? l.sum(perImage, [0]) : perImage, l.shape(out!)));
  return true;
}
