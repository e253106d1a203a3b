/**
 * How far each kernel and layer is from what the machine allows: the rate at which it multiplies
 * matrices, and that at which it copies memory.
 *
 * @module
 */
import { CEILINGS, COPY } from "./kernels.ts";
import { cpuMsOf, type Result } from "./result.ts";
import { table } from "./table.ts";

/** Processor time of one thread: what else the machine does counts little in it. */
const leastOf = (result: Result) => Math.min(...cpuMsOf(result));

/** The bandwidth that the workload `copies` shows: every pass reads and writes. */
export function gigabytesPerSecond(ms: number): number {
  return 8 * COPY.passes * COPY.size / ms / 1e6;
}

/**
 * A line per layer and contestant: the time that products alone need at the contestant's own rate,
 * that of moving memory at the rate at which ONNX Runtime copies (OpenVINO merges the passes of that
 * workload, so its own would be too good), which of them binds, and how many times that was taken.
 * Times are the least processor times of one thread.
 */
export function layerTable(results: readonly Result[]): string[] {
  const of = (workload: string, contestant: string) =>
    results.find((each) => each.workload === workload && each.contestant === contestant);
  const copies = of("copies", "onnx") ?? results.find(({ workload }) => workload === "copies");
  const bandwidth = gigabytesPerSecond(leastOf(copies!)); // GB/s
  const rateOf = ({ contestant }: Result) => {
    const products = of("matrix products", contestant)!;
    return products.flops! / leastOf(products) / 1e6; // GFLOP/s
  };
  const rows = results
    .filter(({ workload, flops }) => !(workload in CEILINGS) && flops !== undefined)
    .map((result) => {
      const { workload, contestant, flops, bytes } = result;
      const ms = leastOf(result);
      const products = flops! / rateOf(result) / 1e6;
      const memory = bytes! / bandwidth / 1e6;
      return [
        workload,
        contestant,
        ms.toFixed(1),
        products.toFixed(1),
        memory.toFixed(1),
        products > memory ? "products" : "memory",
        `${(ms / Math.max(products, memory)).toFixed(1)}x`,
      ];
    });
  const rates = [...new Set(results.map(({ contestant }) => contestant))].map((contestant) => {
    const ceiling = of("matrix products", contestant);
    return ceiling && `${contestant} ${rateOf(ceiling).toFixed(0)} GFLOP/s`;
  });
  return [
    `Ceilings: matrix products ${rates.filter(Boolean).join(", ")}; copies ${
      bandwidth.toFixed(1)
    } GB/s`,
    "",
    ...table(
      [
        "layer, with gradients",
        "on",
        "processor ms",
        "products ms",
        "memory ms",
        "binds",
        "of the limit",
      ],
      rows,
    ),
  ];
}
