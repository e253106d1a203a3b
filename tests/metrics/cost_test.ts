import assert from "node:assert/strict";
import { costMetric, printedFigures } from "../../metrics/cost.ts";
import { channelsOf } from "../../networks/config.ts";
import { paperParts } from "../../networks/generator.ts";
import { createRegistry } from "../../registry.ts";

const teacher = { sizePx: 1024, styleDim: 512, mappingLayers: 8, channels: channelsOf(1024) };
const student = { ...teacher, channels: channelsOf(512), ...paperParts };

Deno.test("costMetric gives the numbers of teacher and student at 1024 px", async () => {
  const inputs = { teacher, student, parts: createRegistry() };
  assert.deepEqual(await costMetric.compute(inputs, {}), {
    mappingParameters: 2_101_248,
    teacherParameters: 28_268_812,
    teacherMultiplyAdds: 74_260_144_128,
    studentTrainingParameters: 8_855_823,
    studentTrainingMultiplyAdds: 7_465_705_472,
    studentParameters: 7_306_395,
    studentMultiplyAdds: 7_281_188_864,
  });
});

Deno.test("printedFigures has the paper's table, each with a reason", () => {
  assert.deepEqual(printedFigures.map(({ printed }) => printed), [
    28.27e6,
    143.15e9,
    8.01e6,
    15.09e9,
  ]);
  assert.ok(printedFigures.every(({ reason }) => reason.length > 20));
});
