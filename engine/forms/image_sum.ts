import { axesOf } from "../kernels/reduction.ts";
import type { Lowering } from "../lowering.ts";
import type { Op } from "../program.ts";

const VECTOR = 16; // numbers of OpenVINO's vectors: channels that fill none are added one by one

/**
 * Sums over the images of a batch, and over all pixels of few channels, for OpenVINO: it takes ten times
 * as long for a sum over the first of four axes as over the first of two, and as much longer for channels
 * that fill no vector as for rows of pixels. So lists of numbers are added up first.
 */
export function imageSum(op: Op, l: Lowering): boolean {
  const { inputs: [x], attributes, outputs: [out] } = op;
  const { shape, dtype } = l.value(x!);
  if (shape.length !== 4 || dtype !== "float32") return false;
  const [n, h, w, c] = shape as [number, number, number, number];
  const axes = axesOf(attributes, shape).toSorted().join();
  const listSum = (lists: number) => {
    const all = l.reshape(l.get(x!, "channelsLast"), [lists, n * h * w * c / lists]);
    return lists === 1 ? all : l.sum(all, [0]);
  };
  const ofPixels = axes === "0,1,2" && c < VECTOR;
  if (axes !== "0" && !ofPixels) return false;
  const sum = ofPixels ? l.sum(l.reshape(listSum(n * h), [w, c]), [0]) : listSum(n);
  l.put(out!, l.reshape(sum, l.shape(out!)));
  return true;
}
