import assert from "node:assert/strict";
import type { Result } from "../../bench/result.ts";
import { startTable } from "../../bench/start.ts";
import { agrees, resultsJson, summary, workloadLines } from "../../bench/summary.ts";

const result = (contestant: string, ms: number[][], more: Partial<Result> = {}): Result => ({
  workload: "step",
  scenario: "small",
  contestant,
  name: contestant,
  startMs: 2020,
  value: 1,
  peakMb: 200,
  rounds: ms.map((list) => ({ ms: list, cpuMs: list.map((each) => 2 * each) })),
  ...more,
});

const results = [
  result("onnx", [[10], [10]], { operations: [{ flops: 2e9, bytes: 0 }] }),
  result("torch", [[20], [30]], { reference: "PyTorch" }),
  result("torch, channels last", [[40], [25]], { reference: "PyTorch" }),
  result("torch, twice", [[50], [50]], { reference: "teacher twice" }),
];

Deno.test("summary() compares with every reference, round by round", () => {
  assert.deepEqual(summary(results), [
    "| workload    | on                   | ms   | processor ms | GFLOP/s | start s | peak MB | times PyTorch    | times teacher twice |",
    "| ----------- | -------------------- | ---: | -----------: | ------: | ------: | ------: | ---------------: | ------------------: |",
    "| small: step | onnx                 | 10.0 |         20.0 |     200 |     2.0 |     200 | 2.25 (2.00-2.50) |                5.00 |",
    "| small: step | torch                | 25.0 |         50.0 |      80 |     2.0 |     200 | 0.92 (0.83-1.00) |    2.08 (1.67-2.50) |",
    "| small: step | torch, channels last | 32.5 |         65.0 |      62 |     2.0 |     200 | 0.75 (0.50-1.00) |    1.63 (1.25-2.00) |",
    "| small: step | torch, twice         | 50.0 |        100.0 |      40 |     2.0 |     200 | 0.45 (0.40-0.50) |                1.00 |",
  ]);
});

Deno.test("resultsJson() has medians and ratios beside what was measured", () => {
  const [first] = JSON.parse(resultsJson(results));
  assert.equal(first.medianMs, 10);
  assert.deepEqual(first.ratios, {
    PyTorch: { median: 2.25, least: 2, most: 2.5 },
    "teacher twice": { median: 5, least: 5, most: 5 },
  });
  assert.equal(first.rounds.length, 2);
  assert.equal(first.flops, 2e9);
  assert.equal(first.operations, undefined);
});

Deno.test("workloadLines() tells who computed something else", () => {
  assert.deepEqual(
    workloadLines([...results.slice(0, 1), result("b", [[1, 3]], { value: 1.01 })]),
    [
      "small: step",
      "  onnx                 10.0 ms (10.0 to 10.0)",
      "  b                    2.0 ms (1.0 to 3.0)  differs: 1.01 instead of 1",
    ],
  );
  assert.deepEqual(workloadLines([]), []);
});

Deno.test("agrees() allows bf16 more", () => {
  const other = (contestant: string, value: number) => result(contestant, [[1]], { value });
  assert.ok(agrees(other("onnx", 1), other("torch", 1.0009)));
  assert.ok(!agrees(other("onnx", 1), other("torch", 1.0011)));
  assert.ok(agrees(other("onnx", 1), other("openvino:bf16", 1.04)));
});

Deno.test("startTable() tells what goes before the first run, and how long all of it takes together", () => {
  const phases = { trace: 500, lower: 250, open: 1000, together: 1500 };
  const [, , ...lines] = startTable([
    result("onnx", [], { phases }),
    result("torch", []),
  ]);
  assert.deepEqual(lines, [
    "| small: step | onnx  |    0.50 |    0.25 |   1.00 |    1.50 |                 2.02 |     200 |",
    "| small: step | torch |         |         |        |         |                 2.02 |     200 |",
  ]);
});
