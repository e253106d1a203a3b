import assert from "node:assert/strict";
import type { PartSource } from "../../core/contracts.ts";
import { defineConv } from "../../core/define.ts";
import { createRegistry } from "../../registry.ts";
import { channelsOf, type StudentConfig } from "../../networks/config.ts";
import {
  discriminatorCost,
  inferenceCost,
  mappingCost,
  noiseSize,
  studentCost,
  teacherCost,
} from "../../networks/cost.ts";
import { initMobileSynthesis, mobileSynthesisBuffers } from "../../networks/mobile_synthesis.ts";
import { noOptions } from "../../layers/no_options.ts";

const parts = createRegistry();
const teacherOf = (sizePx: number, base = 32768) => ({
  sizePx,
  styleDim: 512,
  mappingLayers: 8,
  channels: channelsOf(sizePx, { base }),
});
const studentOf = (sizePx: number, base = 32768): StudentConfig => ({
  ...teacherOf(sizePx, base),
  channels: channelsOf(sizePx / 2, { base }),
  upscale: { name: "idwt" },
  conv: { name: "separable_modulated" },
  demodulation: { name: "frozen" },
  head: { name: "single" },
  auxiliary: true,
});

Deno.test("counts at 1024 px, config-f, are those of the reference codes", () => {
  const teacher = teacherCost(teacherOf(1024)).total;
  const mapping = mappingCost(teacherOf(1024)).total;
  assert.equal(teacher.parameters, 28_268_812);
  assert.equal(teacher.convolution, 74_260_144_128);
  assert.equal(mapping.parameters, 2_101_248);
  // The constant in the code of Liu et al., CVPR 2021.
  assert.equal(teacher.convolution + teacher.linear + mapping.linear, 74_266_894_336);
  const critic = discriminatorCost({ ...teacherOf(1024), stddevGroup: 4 }).total;
  assert.equal(critic.parameters, 29_012_513);
});

Deno.test("counts at 256 px are those of the reference codes", () => {
  const teacher = teacherCost(teacherOf(256)).total;
  const mapping = mappingCost(teacherOf(256)).total;
  assert.equal(teacher.convolution + teacher.linear + mapping.linear, 45_124_673_536);
});

Deno.test("counts of the student at 1024 px: frozen, trainable, inference", () => {
  const frozen = studentOf(1024);
  const trainable = { ...frozen, demodulation: { name: "trainable" } };
  assert.equal(studentCost(frozen, parts).total.parameters, 8_852_079);
  assert.equal(studentCost(trainable, parts).total.parameters, 8_855_823);
  for (const config of [frozen, trainable]) {
    const { parameters, convolution } = inferenceCost(config, parts).total;
    assert.equal(parameters, 7_306_395);
    assert.equal(convolution, 7_281_188_864);
  }
  // With the noise maps of an exported graph: the 8.01 M of the paper.
  assert.equal(7_306_395 + noiseSize(512), 8_005_419);
});

const table: [sizePx: number, base: number, train: string, infer: string, adds: string][] = [
  [256, 32768, "8.373", "7.029", "3.57"],
  [512, 32768, "8.696", "7.218", "5.34"],
  [256, 16384, "7.502", "6.293", "1.36"],
  [1024, 16384, "7.734", "6.424", "2.41"],
];
for (const [sizePx, base, train, infer, adds] of table) {
  Deno.test(`counts of the student at ${sizePx} px, base ${base}`, () => {
    const config = studentOf(sizePx, base);
    const millions = (value: number) => (value / 1e6).toFixed(3);
    assert.equal(millions(studentCost(config, parts).total.parameters), train);
    const inference = inferenceCost(config, parts).total;
    assert.equal(millions(inference.parameters), infer);
    assert.equal((inference.convolution / 1e9).toFixed(2), adds);
  });
}

Deno.test("a student of other parts has the weights that the cost counts, layer by layer", () => {
  const config: StudentConfig = {
    sizePx: 32,
    styleDim: 8,
    mappingLayers: 2,
    channels: [8, 8, 4],
    upscale: { name: "conv_transpose" },
    conv: { name: "modulated" },
    demodulation: { name: "frozen" },
    head: { name: "skip" },
    auxiliary: false,
  };
  for (const fused of [false, true]) {
    const buffers = mobileSynthesisBuffers({ ...config, fused }, parts);
    const sizes: Record<string, number> = {};
    const weights = initMobileSynthesis({ ...config, fused }, 1, parts);
    for (const [name, { data }] of Object.entries(weights)) {
      const segments = name.split(".").slice(0, name.startsWith("4.const") ? 2 : 3);
      const layer = `synthesis.${segments.join(".")}`;
      sizes[layer] = (sizes[layer] ?? 0) + (buffers.includes(name) ? 0 : data.length);
    }
    const { layers } = studentCost({ ...config, fused }, parts);
    assert.deepEqual(Object.fromEntries(layers.map((row) => [row.layer, row.parameters])), sizes);
  }
});

Deno.test("styled demodulation is not merged, and costs no parameters", () => {
  const styled = { ...studentOf(64), demodulation: { name: "styled" } };
  const names = inferenceCost(styled, parts).layers.map(({ layer }) => layer);
  assert.ok(names.includes("synthesis.8.conv1.styled"));
  const frozen = inferenceCost(studentOf(64), parts).total.parameters;
  assert.equal(inferenceCost(styled, parts).total.parameters, frozen);
});

Deno.test("a part that does not say its multiply-adds is marked", () => {
  const silent = defineConv({
    name: "silent",
    summary: "1x1",
    source: "test",
    options: noOptions,
    init: ({ inChannels, outChannels }, random) => ({
      weight: random.normal([1, 1, inChannels, outChannels]),
    }),
    apply: (_, { x }) => x,
  });
  const source: PartSource = {
    resolve: (kind, choice) =>
      choice.name === "silent"
        ? { part: silent as never, options: {} }
        : parts.resolve(kind, choice as never),
  };
  const { layers } = studentCost({ ...studentOf(16), conv: { name: "silent" } }, source);
  assert.deepEqual(layers.filter((row) => row.uncounted).map(({ layer }) => layer), [
    "synthesis.8.conv1.silent",
    "synthesis.8.conv2.silent",
  ]);
});
