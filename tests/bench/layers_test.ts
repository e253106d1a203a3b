import assert from "node:assert/strict";
import { COPY } from "../../bench/kernels.ts";
import { layerTable } from "../../bench/layers.ts";
import type { Result } from "../../bench/result.ts";

const result = (
  workload: string,
  contestant: string,
  cpuMs: number[],
  more: Partial<Result> = {},
): Result => ({
  workload,
  scenario: "",
  contestant,
  name: contestant,
  startMs: 100,
  value: 1,
  peakMb: 200,
  rounds: [{ ms: cpuMs, cpuMs }],
  ...more,
});

const ceilings = [
  result("matrix products", "onnx", [10], { operations: [{ flops: 1e9, bytes: 1 }] }), // 100 GFLOP/s
  result("copies", "onnx", [8 * COPY.passes * COPY.size / 20e6]), // 20 GB/s
];
const layer = result("layer", "onnx", [8, 7], {
  // 2 ms of products and 1 of memory, then 1 and 2.
  operations: [{ flops: 2e8, bytes: 2e7 }, { flops: 1e8, bytes: 4e7 }],
  outerBytes: 1e7,
});

Deno.test("layerTable() takes the larger of both ceilings for each operation", () => {
  assert.deepEqual(layerTable([...ceilings, layer]), [
    "Ceilings: matrix products onnx 100 GFLOP/s; copies 20.0 GB/s",
    "",
    "| with gradients | on   | processor ms | products ms | memory ms | binds  | limit ms | of the limit | of one kernel's |",
    "| -------------- | ---- | -----------: | ----------: | --------: | ------ | -------: | -----------: | --------------: |",
    "| layer          | onnx |          7.0 |         3.0 |       3.0 | memory |      4.0 |         1.8x |            2.3x |",
  ]);
});

Deno.test("layerTable() compares with the best form of PyTorch", () => {
  const peers = [
    result("layer", "torch", [30, 21], { reference: "PyTorch" }),
    result("layer", "torch, channels last", [14], { reference: "PyTorch" }),
    result("layer", "torch", [1], { reference: "PyTorch", scenario: "another" }),
  ];
  const lines = layerTable([...ceilings, layer, { ...layer, workload: "other" }, ...peers]);
  const cells = lines.slice(-2).map((line) => line.split("|").slice(-3, -1).map((s) => s.trim()));
  assert.deepEqual(cells, [["14.0", "2.00"], ["", ""]]);
  assert.equal(lines.length, 6);
});

Deno.test("layerTable() leaves out what has no operations counted", () => {
  const uncounted = { ...layer, workload: "in parts", operations: [] };
  assert.equal(layerTable([...ceilings, layer, uncounted]).length, 5);
});
