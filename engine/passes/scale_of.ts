import type { Value } from "../program.ts";

/**
 * The factor of a product that holds one number per channel, or per channel and image, if the other
 * one has the shape of the result `[N,H,W,C]`: such a product is a depthwise convolution.
 */
export function scaleOf(
  inputs: readonly number[],
  values: readonly Value[],
): number | undefined {
  const [a, b] = inputs.map((id) => values[id]!.shape) as [readonly number[], readonly number[]];
  const scales = (shape: readonly number[], [n, , , c]: readonly number[]) => {
    const [images, height, width, channels] = [1, 1, 1, ...shape].slice(-4);
    return channels === c && height === 1 && width === 1 && (images === 1 || images === n);
  };
  if (a.length === 4 && scales(b, a)) return inputs[1];
  return b.length === 4 && scales(a, b) ? inputs[0] : undefined;
}
