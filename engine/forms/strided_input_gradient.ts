import { geometry } from "../kernels/geometry.ts";
import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";

/**
 * The input's gradient of a strided convolution for OpenVINO. A constant filter must not reach it by
 * the same nodes as it reaches `Conv`: OpenVINO merges them, packs the filter once, and when it has as
 * many inputs as outputs takes the packing of the one for the other, with wrong results (2026.4).
 */
export function stridedInputGradient(
  { inputs: [dy, filter], attributes, outputs: [out] }: Op,
  l: Lowering,
): boolean {
  const [kh, kw, ci, co] = l.shape(filter!) as [number, number, number, number];
  const size = l.shape(out!);
  const g = geometry(size, [kh, kw, ci, co], attributes, false);
  if (g.strides.every((n) => n === 1)) return false;
  const flat = l.transpose(l.reshape(l.get(filter!), [kh * kw, ci, co]), [2, 1, 0]);
  const output_padding = [0, 1].map((i) => {
    const reached = (g.outShape[i + 1]! - 1) * g.strides[i]! +
      (g.kernel[i]! - 1) * g.dilations[i]! + 1 - g.before[i]! - g.after[i]!;
    return size[i + 1]! - reached;
  });
  const name = l.emit(
    "ConvTranspose",
    [l.get(dy!, "channelsFirst"), l.reshape(flat, [co, ci, kh, kw])],
    {
      strides: g.strides,
      dilations: g.dilations,
      pads: [...g.before, ...g.after],
      output_padding,
    },
  );
  l.put(out!, name, "channelsFirst");
  return true;
}
