import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { HostArray, Params, PartChoice, Weights } from "../../core/contracts.ts";
import { lift } from "../../core/flat.ts";
import { createRandom } from "../../core/random.ts";
import { inverseHaar } from "../../layers/haar.ts";
import { channelsOf, noiseShapes, type StudentConfig } from "../../networks/config.ts";
import { fuseMobileSynthesis } from "../../networks/fuse_mobile_synthesis.ts";
import {
  initMobileSynthesis,
  mobileSynthesis,
  mobileSynthesisBuffers,
} from "../../networks/mobile_synthesis.ts";
import { createRegistry } from "../../registry.ts";
import { assertClose, golden, nhwc, reshaped, tensor, tidy } from "../golden.ts";
import { authorsStudent } from "./authors_student.ts";

const registry = createRegistry();

const base: StudentConfig = {
  sizePx: 32,
  styleDim: 8,
  mappingLayers: 2,
  channels: [16, 8, 12],
  upscale: { name: "idwt" },
  conv: { name: "separable_modulated" },
  demodulation: { name: "trainable" },
  head: { name: "single" },
  auxiliary: true,
};

/** A student with random weights everywhere, also where they start at 0. */
function randomStudent(changes: Partial<StudentConfig> = {}) {
  const config = { ...base, ...changes };
  const random = createRandom(7, "student");
  const weights: Weights = Object.fromEntries(
    Object.entries(initMobileSynthesis(config, 1, registry)).map(([name, { shape, data }]) => {
      const offsets = random.normal(shape, 0.3).data;
      return [name, { shape, data: data.map((x, i) => x + offsets[i]!) }];
    }),
  );
  const inputs = {
    w: random.normal([2, config.styleDim]),
    noise: noiseShapes(config.sizePx / 2).map((shape) => random.normal(shape)),
  };
  return { config, weights, inputs };
}

function run(
  weights: Weights,
  { w, noise }: { readonly w: HostArray; readonly noise?: readonly HostArray[] },
  config: StudentConfig,
): HostArray[] {
  let bands: HostArray[] = [];
  tf.tidy(() => {
    const maps = noise?.map((map) => tensor<tf.Rank.R4>(map));
    const inputs = { w: tensor(w), noise: maps };
    bands = mobileSynthesis(lift(weights) as Params, inputs, config, registry)
      .map((band) => ({ shape: band.shape, data: band.dataSync<"float32">().slice() }));
  });
  return bands;
}

const count = (weights: Weights, omitted: readonly string[] = []) =>
  Object.entries(weights)
    .filter(([name]) => !omitted.includes(name))
    .reduce((sum, [, { data }]) => sum + data.length, 0);

Deno.test("mobileSynthesis() has the published numbers of parameters at 1024 px", () => {
  const config = (demodulation: string, auxiliary = true): StudentConfig => ({
    ...base,
    sizePx: 1024,
    styleDim: 512,
    mappingLayers: 8,
    channels: channelsOf(512),
    demodulation: { name: demodulation },
    auxiliary,
  });
  const parameters = (config: StudentConfig) =>
    count(initMobileSynthesis(config, 1, registry), mobileSynthesisBuffers(config, registry));
  assert.equal(parameters(config("frozen")), 8_852_079);
  assert.equal(parameters(config("trainable")), 8_855_823);
  assert.equal(parameters(config("styled")), 8_852_079);
  assert.equal(parameters(config("frozen", false)), 7_306_395);
  assert.equal(parameters({ ...config("trainable", false), fused: true }), 7_306_395);
});

Deno.test("mobileSynthesis() equals the author's student, scale by scale", () =>
  tidy(() => {
    const { config, weights } = authorsStudent();
    const noise = [0, 1, 2].flatMap((level) => {
      const maps = golden(`mobilestylegan/noise_${level}`);
      const size = 4 * 2 ** level;
      const length = size ** 2;
      return Array.from({ length: maps.data.length / length }, (_, i) => ({
        shape: [1, size, size, 1],
        data: maps.data.slice(i * length, (i + 1) * length),
      }));
    });
    const w = golden("mobilestylegan/w");
    const bands = run(weights, { w, noise }, config);
    bands.forEach((band, i) => assertClose(band, nhwc(golden(`mobilestylegan/head_${i}`))));
    assert.equal(bands.length, 3);
    const image = inverseHaar(tensor<tf.Rank.R4>(bands.at(-1)!));
    assertClose(image, nhwc(golden("mobilestylegan/image")));

    const mixed = run(weights, { w: golden("mobilestylegan/w_plus_mix"), noise }, config);
    mixed.forEach((band, i) => {
      const half = reshaped({ ...band, data: band.data.slice(0, band.data.length / 2) }, [
        2,
        ...band.shape.slice(1),
      ]);
      assertClose(half, nhwc(golden(`mobilestylegan/mix/head_${i}`)));
    });
    const every = run(weights, { w: golden("mobilestylegan/w_plus_all"), noise }, config);
    assertClose(
      inverseHaar(tensor<tf.Rank.R4>(every.at(-1)!)),
      nhwc(golden("mobilestylegan/image_w_plus_all")),
    );
  }));

Deno.test("mobileSynthesis() takes one w, rows of w, and rows with a dead last one", () => {
  const { config, weights, inputs: { w, noise } } = randomStudent();
  const rows = (count: number, dead: number): HostArray => ({
    shape: [2, count, 8],
    data: Float32Array.from({ length: 2 * count * 8 }, (_, i) => {
      const [n, row, d] = [Math.floor(i / (8 * count)), Math.floor(i / 8) % count, i % 8];
      return row < 7 ? w.data[n * 8 + d]! : dead;
    }),
  });
  const expected = run(weights, { w, noise }, config);
  assert.deepEqual(run(weights, { w: rows(7, 0), noise }, config), expected);
  assert.deepEqual(run(weights, { w: rows(8, NaN), noise }, config), expected);
  assert.throws(() => run(weights, { w: rows(6, 0), noise }, config), {
    name: "RangeError",
    message: "Cannot read styles: expected w of shape [N,D] or [N,7 or 8,D] but received [2,6,8]",
  });
});

Deno.test("mobileSynthesis() reads the noise in order and accepts the teacher's list", () => {
  const { config, weights, inputs: { w, noise } } = randomStudent();
  const expected = run(weights, { w, noise }, config);
  const longer = [...noise, ...[1, 2].map(() => createRandom(1, "n").normal([1, 32, 32, 1]))];
  assert.deepEqual(run(weights, { w, noise: longer }, config), expected);
  assert.throws(() => run(weights, { w, noise: noise.slice(1) }, config), {
    name: "RangeError",
    message: "Cannot run the student: expected at least 5 noise maps but received 4",
  });
  const silent = noise.map(({ shape, data }) => ({ shape, data: new Float32Array(data.length) }));
  assert.deepEqual(run(weights, { w }, config), run(weights, { w, noise: silent }, config));
});

Deno.test("mobileSynthesis() without auxiliary heads gives the last bands only", () => {
  const { config, weights, inputs } = randomStudent();
  const all = run(weights, inputs, config);
  assert.deepEqual(all.map(({ shape }) => shape), [[2, 4, 4, 12], [2, 8, 8, 12], [2, 16, 16, 12]]);
  assert.deepEqual(run(weights, inputs, { ...config, auxiliary: false }), all.slice(2));
  const skip = randomStudent({ head: { name: "skip" }, auxiliary: false });
  assert.equal(run(skip.weights, skip.inputs, skip.config).length, 3);
});

const variants: [string, Partial<StudentConfig>][] = [
  ...registry.list("upscale").map(({ name }) => ["upscale", name] as const),
  ...registry.list("conv").map(({ name }) => ["conv", name] as const),
  ...registry.list("demodulation").map(({ name }) => ["demodulation", name] as const),
  ...registry.list("head").map(({ name }) => ["head", name] as const),
].map(([kind, name]) => [`${kind} "${name}"`, { [kind]: { name } }]);

for (const [title, changes] of variants) {
  Deno.test(`fuseMobileSynthesis() keeps the last bands with ${title}`, () => {
    const { config, weights, inputs } = randomStudent(changes);
    const before = tf.memory().numTensors;
    const fused = fuseMobileSynthesis(weights, config, registry);
    assert.equal(tf.memory().numTensors, before);
    const bands = run(fused.weights, inputs, fused.config);
    assertClose(bands.at(-1)!, run(weights, inputs, config).at(-1)!, 2e-6);

    const isMerged = config.demodulation.name !== "styled";
    assert.equal(fused.config.fused, isMerged);
    assert.equal(fused.config.auxiliary, false);
    const expected = Object.keys(initMobileSynthesis(fused.config, 1, registry));
    assert.deepEqual(Object.keys(fused.weights).sort(), expected.sort());
    assert.equal(expected.some((name) => name.includes(".coefficients")), false);
    // What is fused stays as it is.
    assert.deepEqual(fuseMobileSynthesis(fused.weights, fused.config, registry), fused);
  });
}

Deno.test("initMobileSynthesis() leaves the other weights when a part is exchanged", () => {
  const first = initMobileSynthesis(base, 1, registry);
  const other: [string, PartChoice][] = [
    ["upscale", { name: "bilinear" }],
    ["head", { name: "skip" }],
    ["demodulation", { name: "frozen" }],
  ];
  for (const [kind, choice] of other) {
    const second = initMobileSynthesis({ ...base, [kind]: choice }, 1, registry);
    const shared = Object.keys(first).filter((name) =>
      name in second && String(first[name]!.shape) === String(second[name]!.shape)
    );
    assert.ok(shared.length > 20, `${shared.length}`);
    for (const name of shared) assert.deepEqual(second[name], first[name], name);
  }
  assert.notDeepEqual(initMobileSynthesis(base, 2, registry)["4.const"], first["4.const"]);
});

Deno.test("initMobileSynthesis() names weights by size, place and part", () => {
  const names = Object.keys(initMobileSynthesis({ ...base, channels: [4, 4, 4] }, 1, registry));
  assert.deepEqual(names.filter((name) => !name.startsWith("16.")), [
    "4.const",
    "4.conv1.modulated.weight",
    "4.conv1.modulated.bias",
    "4.conv1.modulated.noise_strength",
    "4.conv1.modulated.style.weight",
    "4.conv1.modulated.style.bias",
    "4.conv1.trainable.coefficients",
    "4.head.single.weight",
    "4.head.single.bias",
    "4.head.single.style.weight",
    "4.head.single.style.bias",
    "8.upscale.idwt.style.weight",
    "8.upscale.idwt.style.bias",
    "8.conv1.separable_modulated.depthwise",
    "8.conv1.separable_modulated.pointwise",
    "8.conv1.separable_modulated.bias",
    "8.conv1.separable_modulated.noise_strength",
    "8.conv1.separable_modulated.style.weight",
    "8.conv1.separable_modulated.style.bias",
    "8.conv1.trainable.coefficients",
    "8.conv2.separable_modulated.depthwise",
    "8.conv2.separable_modulated.pointwise",
    "8.conv2.separable_modulated.bias",
    "8.conv2.separable_modulated.noise_strength",
    "8.conv2.separable_modulated.style.weight",
    "8.conv2.separable_modulated.style.bias",
    "8.conv2.trainable.coefficients",
    "8.head.single.weight",
    "8.head.single.bias",
    "8.head.single.style.weight",
    "8.head.single.style.bias",
  ]);
});

Deno.test("initMobileSynthesis() throws if a part, an option or the channels are wrong", () => {
  const init = (changes: Partial<StudentConfig>) => () =>
    initMobileSynthesis({ ...base, ...changes }, 1, registry);
  assert.throws(init({ upscale: { name: "iwdt" } }), {
    name: "RangeError",
    message:
      'Cannot find upscale "iwdt": known names are "idwt", "conv_transpose", "bilinear"; did you mean "idwt"?',
  });
  assert.throws(init({ head: { name: "single", options: { gian: 1 } } }), {
    name: "RangeError",
    message:
      'Cannot use head "single": expected valid options but received {"gian":1} (gian: unknown option; did you mean "gain"?)',
  });
  assert.throws(init({ channels: [16, 6, 12] }), {
    name: "RangeError",
    message: 'Cannot use upscale "idwt": expected channels that are a multiple of 4 but received 6',
  });
});
