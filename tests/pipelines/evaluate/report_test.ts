import assert from "node:assert/strict";
import { toMarkdown } from "../../../io/report_document.ts";
import type { Evaluation } from "../../../pipelines/evaluate/evaluation.ts";
import type { Measurement } from "../../../pipelines/evaluate/measurement.ts";
import { reportBlocks } from "../../../pipelines/evaluate/report.ts";
import { parseEvaluateConfig } from "../../../pipelines/evaluate_config.ts";
import { createRegistry } from "../../../registry.ts";

const none = { first: [], extremes: [], errors: [], smoothness: [], exits: [] };

function reportOf(measurements: readonly Measurement[], notes: readonly string[] = []): string {
  const evaluation: Evaluation = {
    config: parseEvaluateConfig({}, createRegistry()),
    environment: { description: "a test", platform: "nowhere" },
    networks: [{ kind: "student", checksum: "0", config: {} }],
    features: [
      { label: "vgg16 11111111", description: "VGG16" },
      { label: "inception 22222222", description: "Inception" },
    ],
    measurements,
    notes,
  };
  return toMarkdown({ title: "Test", blocks: reportBlocks(evaluation, none) });
}

const fid = (features: string, value: number, more: Partial<Measurement> = {}): Measurement => ({
  metric: "fid",
  subject: "student",
  reference: "teacher",
  features,
  values: { fid: value },
  ...more,
});

Deno.test("a report has a table for each kind of features", () => {
  const report = reportOf([fid("vgg16 11111111", 12.5), fid("inception 22222222", 0.25)]);
  const tables = report.split("\n\n").filter((block) => block.startsWith("| images to reference"));
  assert.equal(tables.length, 2);
  assert.ok(tables[0]!.includes("12.50") && !tables[0]!.includes("0.250"));
  assert.ok(tables[1]!.includes("0.250") && !tables[1]!.includes("12.50"));
});

Deno.test("a report shows published numbers in columns of their own", () => {
  const report = reportOf([fid("inception 22222222", 0.25)]);
  const [table] = report.split("\n\n").filter((block) => block.includes("FID, published protocol"));
  assert.ok(table!.includes("| MobileStyleGAN, July 2021 | 7.75 |"));
  assert.ok(!table!.includes("0.250"));
  assert.ok(report.includes("compare with nothing above"));
});

Deno.test("a report marks what training used, and puts floors last", () => {
  const report = reportOf([
    fid("vgg16 11111111", 1, { subject: "teacher", floor: true }),
    fid("vgg16 11111111", 2, { mark: "used in training" }),
    fid("vgg16 11111111", 3, { subject: "other", mark: "training unknown" }),
  ], ["few images"]);
  const rows = report.split("\n").filter((line) => line.includes(" to teacher"));
  assert.deepEqual(rows, [
    "| student to teacher | 2 † |",
    "| other to teacher | 3 ? |",
    "| teacher to teacher (floor) | 1 |",
  ]);
  assert.ok(report.includes("- † training itself looked through these features"));
  assert.ok(report.includes("- ? it is not known whether"));
  assert.ok(report.includes("- few images"));
});
