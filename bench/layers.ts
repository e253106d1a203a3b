/**
 * How far kernels, layers and whole steps are from what the machine allows: the rate at which it
 * multiplies matrices, and that at which it copies memory; and from PyTorch, where it takes part.
 *
 * @module
 */
import { CEILINGS, COPY } from "./kernels.ts";
import { cpuMsOf, flopsOf, type Result } from "./result.ts";
import { table } from "./table.ts";

/** Processor time of one thread: what else the machine does counts little in it. */
const leastOf = (result: Result) => Math.min(...cpuMsOf(result));

/** The bandwidth that the workload `copies` shows: every pass reads and writes. */
export function gigabytesPerSecond(ms: number): number {
  return 8 * COPY.passes * COPY.size / ms / 1e6;
}

/** What bounds everything, in units of 1e6 per ms. */
interface Ceilings {
  /** GFLOP/s */
  readonly rate: number;
  /** GB/s */
  readonly bandwidth: number;
}

/** Milliseconds of the products and of the memory of all operations, and of their limit. */
function limitOf({ operations = [] }: Result, { rate, bandwidth }: Ceilings) {
  const sum = { products: 0, memory: 0, limit: 0 };
  for (const { flops, bytes } of operations) {
    const [products, memory] = [flops / rate / 1e6, bytes / bandwidth / 1e6];
    sum.products += products;
    sum.memory += memory;
    sum.limit += Math.max(products, memory); // they run one after the other
  }
  return sum;
}

const HEAD = [
  "with gradients",
  "on",
  "processor ms",
  "products ms",
  "memory ms",
  "binds",
  "limit ms",
  "of the limit",
  "of one kernel's",
];

/**
 * A line per workload and contestant: the time that the products of its operations need at the
 * contestant's own rate, that of moving their memory at the rate at which ONNX Runtime copies
 * (OpenVINO merges the passes of that workload, so its own would be too good), which of them is
 * more, the limit, which is the larger of both for every operation, and how many times as long the
 * contestant took. Then the same for the limit of one kernel that keeps everything between its
 * products to itself, and, if PyTorch takes part, how many times as fast as its best form.
 *
 * Times are the least processor times of one thread. What has no operations counted is left out.
 */
export function layerTable(results: readonly Result[]): string[] {
  const of = (workload: string, contestant: string) =>
    results.find((each) => each.workload === workload && each.contestant === contestant);
  const copies = of("copies", "onnx") ?? results.find(({ workload }) => workload === "copies");
  const bandwidth = gigabytesPerSecond(leastOf(copies!));
  const rateOf = ({ contestant }: Result) => {
    const products = of("matrix products", contestant)!;
    return flopsOf(products) / leastOf(products) / 1e6;
  };
  const references = results.filter(({ reference }) => reference === "PyTorch");
  const rows = results
    .filter(({ workload, operations }) => !(workload in CEILINGS) && operations?.length)
    .map((result) => {
      const ceilings = { rate: rateOf(result), bandwidth };
      const peers = references.filter(({ workload, scenario }) =>
        workload === result.workload && scenario === result.scenario
      );
      return [...row(result, ceilings), ...references.length ? ratio(result, peers) : []];
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
    ...table([...HEAD, ...references.length ? ["PyTorch ms", "times PyTorch"] : []], rows),
  ];
}

function row(result: Result, ceilings: Ceilings): string[] {
  const ms = leastOf(result);
  const { products, memory, limit } = limitOf(result, ceilings);
  const alone = Math.max(products, result.outerBytes! / ceilings.bandwidth / 1e6);
  return [
    [result.scenario, result.workload].filter(Boolean).join(": "),
    result.contestant,
    ms.toFixed(1),
    products.toFixed(1),
    memory.toFixed(1),
    products > memory ? "products" : "memory",
    limit.toFixed(1),
    `${(ms / limit).toFixed(1)}x`,
    `${(ms / alone).toFixed(1)}x`,
  ];
}

/** The least time of PyTorch's forms, and how many times as fast we are. */
function ratio(result: Result, peers: readonly Result[]): string[] {
  if (peers.length === 0) return ["", ""];
  const best = Math.min(...peers.map(leastOf));
  return [best.toFixed(1), (best / leastOf(result)).toFixed(2)];
}
