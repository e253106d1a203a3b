import assert from "node:assert/strict";
import { discriminatorCost, inferenceCost, teacherCost } from "../../networks/cost.ts";
import { cost } from "../../networks/cost_of.ts";
import { createStudent } from "../../networks/generator.ts";
import { createRegistry } from "../../registry.ts";
import { tinyTeacher } from "../pipelines/tiny.ts";

Deno.test("cost() counts every kind of network", () => {
  const teacher = tinyTeacher();
  const registry = createRegistry();
  const student = createStudent(teacher, {}, { registry });
  const discriminator = teacher.discriminator!;
  assert.deepEqual(cost(teacher), teacherCost(teacher.config));
  assert.deepEqual(cost(student), inferenceCost(student.config, registry));
  assert.deepEqual(cost(discriminator), discriminatorCost(discriminator.config));
});
