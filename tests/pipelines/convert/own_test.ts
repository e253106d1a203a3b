import assert from "node:assert/strict";
import { join } from "node:path";
import { createStudent } from "../../../networks/generator.ts";
import { convert } from "../../../pipelines/convert.ts";
import { saveGenerator } from "../../../pipelines/generator_file.ts";
import { createRegistry } from "../../../registry.ts";
import { tinyTeacher } from "../tiny.ts";

const folder = await Deno.makeTempDir({ prefix: "haarlem-own-" });
const [teacherFile, studentFile] = ["teacher", "student"].map((name) =>
  join(folder, `${name}.safetensors`)
) as [string, string];
const teacher = tinyTeacher();
const student = createStudent(teacher, {}, { registry: createRegistry(), seed: 1 });
const texts = { licence: "CC0", "haarlem.training": '{"features":"vgg16"}' };
await saveGenerator(teacherFile, teacher, { metadata: texts });
await saveGenerator(studentFile, student, { metadata: texts });
Deno.test.afterAll(() => Deno.remove(folder, { recursive: true }));

Deno.test("convert() takes a teacher of our own as it is, with its texts", async () => {
  const converted = await convert(teacherFile);
  assert.ok(converted.kind === "teacher");
  const { config, weights, discriminator, noise, metadata, report } = converted;
  assert.deepEqual(config, teacher.config);
  assert.deepEqual(discriminator, teacher.discriminator!.config);
  const critic = Object.entries(teacher.discriminator!.weights);
  assert.deepEqual({ ...weights }, {
    ...teacher.weights,
    ...Object.fromEntries(critic.map(([name, weight]) => [`discriminator.${name}`, weight])),
  });
  assert.deepEqual([noise, { ...metadata }], [[], texts]);
  assert.deepEqual(report, {
    source: "haarlem",
    format: "safetensors",
    found: ["teacher of this project, 16 px", "its discriminator, channels 8, 8, 4"],
    wMean: "file",
    leftOut: {},
  });
});

Deno.test("convert() leaves our discriminator out where it is not wanted, and says so", async () => {
  const converted = await convert(teacherFile, { discriminator: false });
  assert.ok(converted.kind === "teacher");
  assert.equal(converted.discriminator, null);
  assert.deepEqual({ ...converted.weights }, { ...teacher.weights });
  const left = Object.keys(teacher.discriminator!.weights).length;
  assert.deepEqual(converted.report.leftOut, { discriminator: left });
  assert.deepEqual(converted.report.found, ["teacher of this project, 16 px"]);
});

Deno.test("convert() takes a student of our own, whatever the file is called", async () => {
  const converted = await convert(await Deno.readFile(studentFile), { kind: "student" });
  assert.ok(converted.kind === "student");
  assert.deepEqual(converted.config, student.config);
  assert.deepEqual({ ...converted.weights }, { ...student.weights });
  assert.equal(converted.discriminator, null);
  assert.deepEqual(converted.report.found, ["student of this project, 16 px"]);
});

Deno.test("convert() refuses another kind than our own file has, and sizes that are none", async () => {
  await assert.rejects(convert(teacherFile, { kind: "student" }), {
    name: "RangeError",
    message:
      `Cannot convert "${teacherFile}": expected kind "student" but received a teacher of this project`,
  });
  const path = join(folder, "odd.safetensors");
  await saveGenerator(path, { ...student, config: { ...student.config, sizePx: 8 } });
  await assert.rejects(convert(path), {
    name: "RangeError",
    message:
      'Cannot build the student: expected "sizePx" to be a power of two from 16 to 1024 but received 8',
  });
});
