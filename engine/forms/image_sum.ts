import { axesOf } from "../kernels/reduction.ts";
import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";

const VECTOR = 16; // numbers of OpenVINO's vectors: channels that fill none are added one by one

/**
 * Sums over the images of a batch, and over all pixels of few channels, for OpenVINO: it takes ten times
 * as long for a sum over the first of four axes as over the first of two, and four times as long for
 * channels that fill no vector. So images are lists of numbers, and their sum is reduced further.
 */
export function imageSum(op: Op, l: Lowering): boolean {
  const { inputs: [x], attributes, outputs: [out] } = op;
  const { shape, dtype } = l.value(x!);
  const [n, h, w, c] = shape as [number, number, number, number];
  if (shape.length !== 4 || n === 1 || dtype !== "float32") return false;
  const axes = axesOf(attributes, shape).toSorted().join();
  const ofPixels = axes === "0,1,2" && c < VECTOR && h * w > 1;
  if (axes !== "0" && !ofPixels) return false;
  const sum = l.sum(l.reshape(l.get(x!, "channelsLast"), [n, h * w * c]), [0]);
  const made = ofPixels ? l.sum(l.reshape(sum, [h * w, c]), [0]) : sum;
  l.put(out!, l.reshape(made, l.shape(out!)));
  return true;
}
