/** The project's own kernels: Haar transforms and resampling. @module */
import type { AxisMatrix } from "../../core/axis_matrix.ts";
import { haarMatrix } from "../../core/haar_matrix.ts";
import type { Lowering } from "../lowering.ts";
import type { KernelRule } from "../rule.ts";

/** The 4x4 Haar matrix once per channel, as the weight of a grouped convolution. */
function haarWeight(l: Lowering, channels: number, shape: readonly number[]): string {
  const one = haarMatrix.flat();
  const data = new Float32Array(16 * channels);
  for (let c = 0; c < channels; c++) data.set(one, 16 * c);
  return l.float(data, shape);
}

/** The bands of a value with channels first, the four of each channel one after the other. */
function bandsOfCells(l: Lowering, x: number): string {
  const [n, h, w, c4] = l.shape(x) as [number, number, number, number];
  const c = c4 / 4;
  const first = l.get(x, "channelsFirst");
  const low = l.reshape(l.slice(first, [0], [c], [1]), [n, c, 1, h, w]);
  const high = l.reshape(l.slice(first, [c], [c4], [1]), [n, c, 3, h, w]);
  return l.reshape(l.emit("Concat", [low, high], { axis: 2 }), [n, c4, h, w]);
}

/** Rules of this family. */
export const domainRules: readonly KernelRule[] = [
  {
    kernel: "Haar",
    inputs: ["x"],
    infer([x]) {
      const [n, h, w, c] = x!.shape;
      return { shape: [n!, h! / 2, w! / 2, 4 * c!], dtype: "float32" };
    },
    lower({ inputs: [x], outputs: [out] }, l) {
      const [n, h, w, c4] = l.shape(out!) as [number, number, number, number];
      const c = c4 / 4;
      const bands = l.emit(
        "Conv",
        [l.get(x!, "channelsFirst"), haarWeight(l, c, [c4, 1, 2, 2])],
        { group: c, strides: [2, 2] },
      );
      if (c === 1) return l.put(out!, bands, "channelsFirst"); // LL, LH, HL, HH already
      const cells = l.reshape(bands, [n, c, 4, h, w]);
      const low = l.reshape(l.slice(cells, [0], [1], [2]), [n, c, h, w]);
      const high = l.reshape(l.slice(cells, [1], [4], [2]), [n, 3 * c, h, w]);
      l.put(out!, l.emit("Concat", [low, high], { axis: 1 }), "channelsFirst");
    },
  },
  {
    kernel: "InverseHaar",
    inputs: ["x"],
    infer([x]) {
      const [n, h, w, c] = x!.shape;
      return { shape: [n!, 2 * h!, 2 * w!, c! / 4], dtype: "float32" };
    },
    lower({ inputs: [x], attributes, outputs: [out] }, l) {
      const c = l.shape(out!)[3]!;
      const c4 = 4 * c;
      const cells = attributes["reordered"] ? l.get(x!, "channelsFirst") : bandsOfCells(l, x!);
      // Not one grouped ConvTranspose, which ONNX Runtime's WebGPU provider computes wrongly (1.30).
      const pixels = l.emit("Conv", [cells, haarWeight(l, c, [c4, 4, 1, 1])], { group: c });
      const image = l.emit("DepthToSpace", [pixels], { blocksize: 2, mode: "CRD" });
      l.put(out!, image, "channelsFirst");
    },
  },
  {
    kernel: "Resample",
    inputs: ["x"],
    infer([x], { rows, columns }) {
      const [n, , , c] = x!.shape;
      return { shape: [n!, rows.rows, columns.rows, c!], dtype: "float32" };
    },
    lower({ inputs: [x], attributes, outputs: [out] }, l) {
      const { rows, columns } = attributes as { rows: AxisMatrix; columns: AxisMatrix };
      const down = l.float(rows.data, [rows.rows, rows.columns]);
      const turned = new Float32Array(columns.data.length); // columns^T
      for (let i = 0; i < columns.rows; i++) {
        for (let j = 0; j < columns.columns; j++) {
          turned[j * columns.rows + i] = columns.data[i * columns.columns + j]!;
        }
      }
      const across = l.float(turned, [columns.columns, columns.rows]);
      const wide = l.emit("MatMul", [l.get(x!, "channelsFirst"), across]);
      l.put(out!, l.emit("MatMul", [down, wide]), "channelsFirst");
    },
  },
];
