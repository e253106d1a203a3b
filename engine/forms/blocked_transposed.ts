/**
 * Transposed convolutions of stride 2 in ONNX Runtime's blocked layout.
 *
 * @module
 */
import { type Geometry, geometry } from "../kernels/geometry.ts";
import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";
import { blockedPick } from "./blocked_pick.ts";
import { blockedWeight, type Shape4D } from "./blocked_weight.ts";

/** Convolutions of stride 2 to the input, which `Conv` alone cannot do. */
export function stridedBackpropInput(
  { inputs: [dy, filter], attributes, outputs: [out] }: Op,
  l: Lowering,
): boolean {
  const shape = l.shape(filter!) as Shape4D;
  const g = geometry(attributes["inputShape"], shape, attributes, false);
  const fits = g.strides.every((n) => n === 2) && g.dilations.every((n) => n === 1) &&
    g.kernel.every((n) => n > 1);
  if (!fits || !l.canBlock(dy!) || !l.canBlock(out!)) return false;
  const pixels = phases(l, l.get(dy!, "blocked"), l.get(filter!), shape, g, l.shape(out!));
  const [, height, width, channels] = l.shape(out!) as Shape4D;
  const size = [height, width] as const;
  const even = size.map((n, i) => 2 * parityLength(g, i as 0 | 1, n)) as [number, number];
  const begins = g.before.every((n) => n === 0);
  if (begins && size.every((n, i) => n === even[i])) l.put(out!, pixels, "blocked");
  // What no tap reaches is zero.
  else if (begins && size.every((n, i) => n >= 2 * (g.outShape[i + 1]! - 1) + g.kernel[i]!)) {
    l.put(out!, pixels, "even");
  } else {
    const picked = { from: g.before, size, stride: 1 } as const;
    l.put(out!, blockedPick(l, pixels, [channels, ...even], picked), "blocked");
  }
  return true;
}

/** How many rows or columns of one parity there are: pixel u = y + before is number u / 2 of its own. */
const parityLength = ({ before }: Geometry, axis: 0 | 1, length: number) =>
  Math.ceil((before[axis] + length) / 2);

/**
 * A transposed convolution of stride 2. The pixels of each of the four parities are a convolution of
 * `dy` with the taps of that parity, a quarter of all; their pixels then interleave, an even number
 * along each axis.
 */
function phases(
  l: Lowering,
  dy: string,
  filter: string,
  [kh, kw, ci, co]: Shape4D,
  g: Geometry,
  [n, height, width]: readonly number[],
): string {
  const b = l.block;
  const [, h, w] = g.outShape;
  const rows = parityLength(g, 0, height!);
  const columns = parityLength(g, 1, width!);
  const quarter = (down: number, right: number) => {
    const taps = [Math.ceil((kh - down) / 2), Math.ceil((kw - right) / 2)] as const;
    const part = l.slice(filter, [down, right], [kh, kw], [0, 1], [2, 2]);
    const weight = blockedWeight(l, part, [...taps, ci, co], { adjoint: true });
    const pads = [taps[0] - 1, taps[1] - 1, rows - h!, columns - w!];
    return l.emit("com.microsoft.nchwc/Conv", [dy, weight], { pads });
  };
  /** Takes runs of numbers from the one and the other in turn. */
  const interleave = (pair: readonly string[], run: number) =>
    l.emit("Concat", pair.map((name) => l.reshape(name, [-1, run])), { axis: 1 });
  const halves = [0, 1].map((down) => interleave([quarter(down, 0), quarter(down, 1)], b));
  return l.reshape(interleave(halves, 2 * columns * b), [n!, ci, 2 * rows, 2 * columns]);
}
