import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";
import { separableFilter } from "./separable_filter.ts";

const FEWEST = 8; // channels; with fewer the products with matrices are faster

/**
 * Resampling by short filters as depthwise convolutions, for OpenVINO: they stay in the layout of the
 * convolutions around them, which the products with whole matrices do not.
 */
export function depthwiseResample(op: Op, l: Lowering): boolean {
  const { inputs: [x], outputs: [out] } = op;
  const channels = l.shape(x!)[3]!;
  const filter = channels >= FEWEST ? separableFilter(op) : undefined;
  if (!filter) return false;
  const { taps, size, doubles, attributes } = filter;
  const data = new Float32Array(channels * taps.length);
  for (let i = 0; i < channels; i++) data.set(taps, i * taps.length);
  const source = l.get(x!, "channelsFirst");
  const kernel = l.float(data, [channels, 1, ...size]);
  const name = l.emit("Conv", [doubles ? doubled(l, source) : source, kernel], {
    group: channels,
    ...attributes,
  });
  l.put(out!, name, "channelsFirst");
  return true;
}

/** Every pixel as a square of four. */
function doubled(l: Lowering, name: string): string {
  return l.emit("Resize", [name, "", l.float(Float32Array.of(1, 1, 2, 2), [4])], {
    mode: "nearest",
    nearest_mode: "floor",
    coordinate_transformation_mode: "asymmetric",
  });
}
