import assert from "node:assert/strict";
import { inferenceCost } from "../../../networks/cost.ts";
import { exitCosts, exitSizes } from "../../../pipelines/evaluate/early_exits.ts";
import { tinyStudent, tinyTeacher } from "./tiny_subjects.ts";

const teacher = tinyTeacher();

Deno.test("exitSizes() are those of the heads", () => {
  assert.deepEqual(exitSizes(tinyStudent(teacher)), [8, 16]);
  assert.deepEqual(exitSizes(tinyStudent(teacher, { auxiliary: false })), [16]);
});

for (const head of ["single", "skip"]) {
  Deno.test(`exitCosts() end with what inference costs, heads ${head}`, () => {
    const student = tinyStudent(teacher, { head: { name: head } });
    const costs = exitCosts(student);
    const { total } = inferenceCost(student.config, student.parts);
    assert.equal(costs.length, 2);
    assert.deepEqual(costs[1], {
      parameters: total.parameters,
      multiply_adds: total.convolution,
    });
    assert.ok(costs[0]!.parameters < costs[1]!.parameters);
  });
}
