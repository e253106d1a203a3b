import assert from "node:assert/strict";
import type { EvaluationFeatures } from "../../../pipelines/evaluate/features.ts";
import { markOf } from "../../../pipelines/evaluate/measurement.ts";
import type { RunningSubject } from "../../../pipelines/evaluate/subjects.ts";

type Name = EvaluationFeatures["name"];
type Training = RunningSubject["training"];

const cases: readonly [Name, "student" | "teacher", Training, ReturnType<typeof markOf>][] = [
  ["discriminator", "teacher", undefined, "used in training"],
  ["discriminator", "student", { features: "vgg16" }, "used in training"],
  ["vgg16", "teacher", undefined, undefined],
  ["vgg16", "student", undefined, "training unknown"],
  ["vgg16", "student", { features: "vgg16" }, "used in training"],
  ["vgg16", "student", { features: "discriminator" }, undefined],
  ["inception", "student", undefined, undefined],
  ["onnx", "student", undefined, undefined],
];
for (const [name, kind, training, mark] of cases) {
  const record = training ? `trained by ${training.features}` : "of unknown training";
  Deno.test(`markOf() marks ${name} of a ${kind} ${record}: ${mark ?? "no"}`, () => {
    const subject = { generator: { kind }, training } as unknown as RunningSubject;
    assert.equal(markOf({ name } as EvaluationFeatures, subject), mark);
  });
}
