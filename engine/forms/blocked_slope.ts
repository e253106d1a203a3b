import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";

const HUGE = 3e38; // times the smallest normal number it is more than 1

/**
 * `Step`: 1 where x > 0, `alpha` elsewhere, which is x times a huge number, clipped: a depthwise
 * convolution with one tap has the clipping as its activation. `Greater` and `Where` take three times
 * as long.
 */
export function blockedSlope(
  { inputs: [x], attributes: { alpha }, outputs: [out] }: Op,
  l: Lowering,
): boolean {
  if (!(alpha >= 0 && alpha < 1) || l.value(x!).dtype !== "float32") return false;
  if (!l.isBlocked(x!)) {
    const layout = l.layoutOf([x!]);
    const huge = l.emit("Mul", [l.get(x!, layout), l.scalar(HUGE)]);
    l.put(out!, l.emit("Clip", [huge, l.scalar(alpha), l.scalar(1)]), layout);
    return true;
  }
  const channels = l.shape(x!)[3]!;
  const weight = l.float(new Float32Array(channels).fill(HUGE), [channels, 1, 1, 1]);
  const name = l.emit("com.microsoft.nchwc/Conv", [l.get(x!, "blocked"), weight], {
    group: channels,
    activation: "Clip",
    activation_params: { floats: [alpha, 1] },
  });
  l.put(out!, name, "blocked");
  return true;
}
