import type { Geometry } from "../kernels/geometry.ts";
import type { Lowering } from "../lowering.ts";
import { blockedPick } from "./blocked_pick.ts";
import type { Shape4D } from "./blocked_weight.ts";

/** Both sides for a column of taps: x as NCHW of `pitch` rows, dy in blocks, both `wide` columns. */
type Shifted = (
  l: Lowering,
  ids: readonly [x: number, dy: number],
  g: Geometry,
  size: { readonly pitch: number; readonly wide: number },
) => (column: number) => { readonly x: string; readonly dy: string };

/** Moves dy, which is in blocks already. */
const shiftedDy: Shifted = (l, [x, dy], g, { pitch, wide }) => {
  const [, height, width, ci] = l.shape(x) as Shape4D;
  const [, h, w, co] = g.outShape as Shape4D;
  const padded = blockedPick(l, l.get(x, "blocked"), [ci, height, width], {
    from: [0, 0],
    size: [pitch, wide],
    stride: 1,
  });
  const order = { channels: ci, channels_last: 0 };
  const rows = l.emit("com.microsoft.nchwc/ReorderOutput", [padded], order);
  const blocks = l.get(dy, "blocked");
  return (column) => {
    const right = g.before[1] - column;
    if (right === 0 && wide === w) return { x: rows, dy: blocks };
    const picked = { from: [0, right], size: [h, wide], stride: 1 } as const;
    return { x: rows, dy: blockedPick(l, blocks, [co, h, w], picked) };
  };
};

/** Moves x, of which any number of channels and columns will do. */
const shiftedX: Shifted = (l, [x, dy], g, { pitch, wide }) => {
  const [, height, width] = l.shape(x) as Shape4D;
  const right = wide - g.outShape[2]!;
  const weights = l.pad(l.get(dy, "spread"), [0, 0, 0, 0, 0], [0, 0, 0, right, 0]);
  return (column) => {
    const before = g.before[1] - column;
    const after = [0, 0, pitch - height, wide - width - before];
    return { x: l.pad(l.get(x, "channelsFirst"), [0, 0, 0, before], after), dy: weights };
  };
};

/**
 * What a filter's gradient reads for each column of taps: the one side shifted against the other. dy
 * moves if both are in blocks already, as that takes no node that runs on one thread.
 */
export function shiftedSides(...given: Parameters<Shifted>): ReturnType<Shifted> {
  const [l, [x, dy], , { wide }] = given;
  const moves = l.isBlocked(x) && l.isBlocked(dy) && l.shape(x)[2]! <= wide;
  return (moves ? shiftedDy : shiftedX)(...given);
}
