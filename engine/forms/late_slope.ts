import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";
import { sameShape } from "../rule.ts";

/**
 * The gradient of leaky ReLU for OpenVINO, which makes a comparison with a constant together with what
 * makes x, on the way forward, and keeps its result until dy is there. Compared with zeros made of dy
 * it must wait, and nothing is kept besides x.
 */
export function lateSlope(
  { inputs: [dy, x], attributes: { alpha }, outputs: [out] }: Op,
  l: Lowering,
): boolean {
  if (!sameShape(l.shape(dy!), l.shape(x!))) return false;
  const layout = l.layoutOf([dy!, x!]);
  const given = l.get(dy!, layout);
  const zeros = l.emit("Mul", [given, l.scalar(0)]);
  const positive = l.emit("Greater", [l.get(x!, layout), zeros]);
  const slope = l.emit("Where", [positive, l.scalar(1), l.scalar(alpha)]);
  l.put(out!, l.emit("Mul", [given, slope]), layout);
  return true;
}
