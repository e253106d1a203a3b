import assert from "node:assert/strict";
import {
  channelsOf,
  checkDiscriminatorConfig,
  checkStudentConfig,
  checkTeacherConfig,
  noiseShapes,
  studentStyleCount,
  teacherStyleCount,
} from "../../networks/config.ts";

const teacher = { sizePx: 32, styleDim: 8, mappingLayers: 2, channels: [8, 8, 4, 4] };
const student = {
  ...teacher,
  channels: [8, 8, 4],
  upscale: { name: "idwt" },
  conv: { name: "separable_modulated" },
  demodulation: { name: "trainable" },
  head: { name: "single" },
  auxiliary: true,
};

Deno.test("valid configurations pass", () => {
  checkTeacherConfig(teacher);
  checkStudentConfig(student);
  checkDiscriminatorConfig({ sizePx: 32, channels: [8, 8, 4, 4], stddevGroup: 4 });
});

const faults: [name: string, check: () => void, message: string][] = [
  [
    "a size between powers of two",
    () => checkTeacherConfig({ ...teacher, sizePx: 48 }),
    'Cannot build the teacher: expected "sizePx" to be a power of two from 16 to 1024 but received 48',
  ],
  [
    "a size that is too small",
    () => checkStudentConfig({ ...student, sizePx: 8 }),
    'Cannot build the student: expected "sizePx" to be a power of two from 16 to 1024 but received 8',
  ],
  [
    "a style without length",
    () => checkTeacherConfig({ ...teacher, styleDim: 0 }),
    'Cannot build the teacher: expected "styleDim" to be an integer of at least 1 but received 0',
  ],
  [
    "half a mapping layer",
    () => checkStudentConfig({ ...student, mappingLayers: 1.5 }),
    'Cannot build the student: expected "mappingLayers" to be an integer of at least 1 but received 1.5',
  ],
  [
    "the teacher's channels in a student",
    () => checkStudentConfig({ ...student, channels: teacher.channels }),
    'Cannot build the student: expected "channels" to be 3 positive integers, one for each of 4, 8, 16 px, but received [8,8,4,4]',
  ],
  [
    "a channel of none",
    () => checkDiscriminatorConfig({ sizePx: 16, channels: [8, 0, 8], stddevGroup: 4 }),
    'Cannot build the discriminator: expected "channels" to be 3 positive integers, one for each of 4, 8, 16 px, but received [8,0,8]',
  ],
  [
    "a clamp at nothing",
    () => checkTeacherConfig({ ...teacher, convClamp: 0 }),
    'Cannot build the teacher: expected "convClamp" to be a number above 0 but received 0',
  ],
  [
    "a clamp of the discriminator that is no number",
    () =>
      checkDiscriminatorConfig({
        sizePx: 16,
        channels: [8, 8, 8],
        stddevGroup: 4,
        convClamp: "256" as never,
      }),
    'Cannot build the discriminator: expected "convClamp" to be a number above 0 but received "256"',
  ],
  [
    "an empty group",
    () => checkDiscriminatorConfig({ sizePx: 16, channels: [8, 8, 8], stddevGroup: 0 }),
    'Cannot build the discriminator: expected "stddevGroup" to be an integer of at least 1 but received 0',
  ],
];
for (const [name, check, message] of faults) {
  Deno.test(`${name} is refused`, () => {
    assert.throws(check, { name: "RangeError", message });
  });
}

Deno.test("channelsOf() gives config-f, and half of it", () => {
  assert.deepEqual(channelsOf(1024), [512, 512, 512, 512, 512, 256, 128, 64, 32]);
  assert.deepEqual(channelsOf(1024, { base: 16384 }), [512, 512, 512, 512, 256, 128, 64, 32, 16]);
});

Deno.test("noiseShapes() of a student is a prefix of its teacher's", () => {
  const shapes = noiseShapes(16);
  assert.deepEqual(shapes.map(([, size]) => size), [4, 8, 8, 16, 16]);
  assert.deepEqual(noiseShapes(8), shapes.slice(0, 3));
  assert.deepEqual(noiseShapes(4, 3), [[3, 4, 4, 1]]);
});

Deno.test("styles are counted as the reference codes count them", () => {
  assert.equal(teacherStyleCount(1024), 18);
  assert.equal(studentStyleCount(1024), 22);
});
