import type { Lowering } from "../lowering.ts";
import { sizeOf } from "../rule.ts";

/**
 * The sum over images of what each of them has, multiplied by a number per channel and image, or per
 * channel only; `axes` are those of the numbers of one image.
 */
export function scaledSum(
  l: Lowering,
  images: string,
  scale: number,
  axes: readonly number[],
): string {
  const count = sizeOf(l.shape(scale)) / sizeOf(axes);
  return l.sum(l.emit("Mul", [images, l.reshape(l.get(scale), [count, ...axes])]), [0]);
}
