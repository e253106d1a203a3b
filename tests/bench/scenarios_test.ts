import assert from "node:assert/strict";
import { scenarioArrays, SCENARIOS } from "../../bench/scenarios.ts";

Deno.test("scenarioArrays() gives no bias and no strength that a runtime could leave out", () => {
  const arrays = scenarioArrays(SCENARIOS["avatars-64"]!);
  const added = Object.entries(arrays).filter(([name]) => /\.(noise_strength|bias)$/.test(name));
  assert.ok(added.length > 70);
  const zeros = added.filter(([, { data }]) => data.every((value) => value === 0));
  assert.deepEqual(zeros.map(([name]) => name), []);
});

Deno.test("scenarioArrays() gives the same twice", () => {
  const scenario = SCENARIOS["avatars-64"]!;
  assert.deepEqual(scenarioArrays(scenario), scenarioArrays(scenario));
});
