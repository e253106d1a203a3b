import type { AxisMatrix } from "../../core/axis_matrix.ts";
import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";
import { doublingFilter, movingFilter } from "./blocked_resample.ts";

const FEWEST = 8; // channels; with fewer the products with matrices are faster

/**
 * Resampling by short filters as depthwise convolutions, for OpenVINO: they stay in the layout of the
 * convolutions around them, which the products with whole matrices do not.
 */
export function depthwiseResample(
  { inputs: [x], attributes, outputs: [out] }: Op,
  l: Lowering,
): boolean {
  const channels = l.shape(x!)[3]!;
  if (channels < FEWEST) return false;
  const axes = [attributes["rows"], attributes["columns"]] as AxisMatrix[];
  const readers = [
    (matrix: AxisMatrix) => movingFilter(matrix, 1),
    (matrix: AxisMatrix) => movingFilter(matrix, 2),
    doublingFilter,
  ];
  for (const read of readers) {
    const [rows, columns] = axes.map(read);
    if (!rows || !columns) continue;
    const kernel = rows.taps.flatMap((y) => columns.taps.map((x) => y * x));
    const data = new Float32Array(channels * kernel.length);
    for (let i = 0; i < channels; i++) data.set(kernel, i * kernel.length);
    const source = l.get(x!, "channelsFirst");
    const name = l.emit(
      "Conv",
      [
        read === doublingFilter ? doubled(l, source) : source,
        l.float(data, [channels, 1, rows.taps.length, columns.taps.length]),
      ],
      {
        group: channels,
        strides: [rows.stride, columns.stride],
        pads: [rows.before, columns.before, rows.after, columns.after],
      },
    );
    l.put(out!, name, "channelsFirst");
    return true;
  }
  return false;
}

/** Every pixel as a square of four. */
function doubled(l: Lowering, name: string): string {
  return l.emit("Resize", [name, "", l.float(Float32Array.of(1, 1, 2, 2), [4])], {
    mode: "nearest",
    nearest_mode: "floor",
    coordinate_transformation_mode: "asymmetric",
  });
}
