import assert from "node:assert/strict";
import fc from "fast-check";
import type { HostArray, Weights } from "../../core/contracts.ts";
import { under } from "../../core/params.ts";
import { createEngine } from "../../engine/mod.ts";
import { bytesAccess } from "../../io/random_access.ts";
import { writeSafetensors } from "../../io/safetensors.ts";
import { channelsOf, noiseShapes } from "../../networks/config.ts";
import { initDiscriminator } from "../../networks/discriminator.ts";
import { initMapping } from "../../networks/mapping.ts";
import { initMobileSynthesis } from "../../networks/mobile_synthesis.ts";
import { initSynthesis } from "../../networks/synthesis.ts";
import {
  convert,
  type ConvertedStudent,
  type ConvertedTeacher,
  type ConvertOptions,
  convertTable,
} from "../../pipelines/convert.ts";
import type { Entry } from "../../pipelines/convert/entries.ts";
import { inceptionEntries } from "../../pipelines/convert/feature_networks.ts";
import { studentEntries } from "../../pipelines/convert/mobilestylegan.ts";
import {
  nvlabsDiscriminatorEntries,
  nvlabsGeneratorEntries,
} from "../../pipelines/convert/nvlabs.ts";
import {
  discriminatorEntries,
  mappingEntries,
  rosinalityNames,
  synthesisEntries,
} from "../../pipelines/convert/rosinality.ts";
import {
  readWeightTable,
  type TableTensor,
  type WeightTable,
} from "../../pipelines/convert/weight_table.ts";
import { createRegistry } from "../../registry.ts";
import { golden } from "../golden.ts";
import { global, pickleOf, raw, type Saved, writeTorch } from "../io/torch_writer.ts";

const path = (file: string) => new URL(`../golden/${file}`, import.meta.url);
const goldenTable = (file: string): WeightTable =>
  readWeightTable(bytesAccess(Deno.readFileSync(path(file)), file));
const teacherOf = async (file: string, options?: ConvertOptions) =>
  await convert(path(file), { kind: "teacher", ...options }) as ConvertedTeacher;

const shapesOf = (weights: Weights) =>
  Object.fromEntries(
    Object.entries(weights).map(([name, { shape }]) => [name, shape.join(",")]).sort(),
  );
const prefixed = (prefix: string, weights: Weights) =>
  Object.fromEntries(Object.entries(weights).map(([name, w]) => [`${prefix}.${name}`, w]));

/** A table with other tensors: undefined removes one. */
function edited(
  table: WeightTable,
  changes: Readonly<Record<string, HostArray | undefined>>,
): WeightTable {
  const tensors = new Map(table.tensors);
  for (const [name, array] of Object.entries(changes)) {
    if (array) tensors.set(name, { shape: array.shape, storage: { size: 1e9 }, read: () => array });
    else tensors.delete(name);
  }
  return { ...table, tensors };
}
const zeros = (...shape: number[]): HostArray => ({
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});
const refuses = (table: WeightTable, message: string | RegExp, options?: ConvertOptions) =>
  assert.rejects(() => convertTable(table, options), { name: "RangeError", message });

for (
  const [file, channels, left, clamp] of [
    ["rosinality.pt", [32, 32, 24, 16], { g: 73, g_optim: 180, d_optim: 69 }],
    ["rosinality_legacy.pt", [32, 32, 24, 16], { g: 73 }],
    ["ada.pkl", [32, 32, 24, 12], { G: 79 }, { convClamp: 256 }],
    ["ada_protocol3.pkl", [32, 32, 24, 12], { G: 79 }, { convClamp: 256 }],
  ] as const
) {
  Deno.test(`convert() gives every weight of a teacher in our names: ${file}`, async () => {
    const { config, discriminator, weights, noise, report } = await teacherOf(file);
    assert.deepEqual(config, {
      sizePx: 32,
      styleDim: 32,
      mappingLayers: 4,
      channels,
      ...clamp,
    });
    assert.deepEqual(discriminator, { sizePx: 32, channels, stddevGroup: 4, ...clamp });
    assert.deepEqual(
      shapesOf(weights),
      shapesOf({
        ...prefixed("mapping", initMapping(config, 0)),
        ...prefixed("synthesis", initSynthesis(config, 0)),
        ...prefixed("discriminator", initDiscriminator(discriminator!, 0)),
      }),
    );
    assert.deepEqual(noise.map(({ shape }) => shape), noiseShapes(32));
    assert.equal(report.wMean, "file");
    assert.deepEqual(report.leftOut, left);
  });
}

Deno.test("convert() gives every weight of the author's student in our names", async () => {
  const student = await convert(path("mobilestylegan.ckpt")) as ConvertedStudent;
  const { config, discriminator, weights } = student;
  assert.deepEqual(config, {
    sizePx: 32,
    styleDim: 32,
    mappingLayers: 4,
    channels: [32, 32, 24],
    upscale: { name: "idwt" },
    conv: { name: "separable_modulated" },
    demodulation: { name: "frozen" },
    head: { name: "single" },
    auxiliary: true,
  });
  assert.deepEqual(
    shapesOf(weights),
    shapesOf({
      ...prefixed("mapping", initMapping(config, 0)),
      ...prefixed("synthesis", initMobileSynthesis(config, 0, createRegistry())),
      ...prefixed("discriminator", initDiscriminator(discriminator!, 0)),
    }),
  );
});

/** The same file with other attributes of a layer, found by the names of the modules above it. */
function withAttributes(
  table: WeightTable,
  modules: readonly string[],
  attributes: Readonly<Record<string, unknown>>,
): WeightTable {
  const [network = "", ...inner] = modules;
  const layer: unknown = new Map(Object.entries(attributes));
  const below = inner.reduceRight<unknown>(
    (module, name) => new Map([["_modules", new Map([[name, module]])]]),
    layer,
  );
  return { ...table, value: new Map([[network, below]]) };
}

Deno.test("convert() takes clamp and group from the layers, where code may have its own defaults", async () => {
  const table = goldenTable("ada.pkl");
  const convert = async (modules: readonly string[], attributes: object) => {
    const converted = await convertTable(withAttributes(table, modules, { ...attributes }));
    assert.ok(converted.kind === "teacher");
    const { config, discriminator } = converted;
    return [config.convClamp, discriminator!.convClamp, discriminator!.stddevGroup];
  };
  const conv1 = ["G_ema", "synthesis", "b4", "conv1"];
  assert.deepEqual(await convert(conv1, { conv_clamp: 128 }), [128, undefined, 4]);
  assert.deepEqual(await convert(conv1, { conv_clamp: null }), [undefined, undefined, 4]);
  assert.deepEqual(await convert(["D", "b4", "conv"], { conv_clamp: 64 }), [undefined, 64, 4]);
  assert.deepEqual(await convert(["D", "b4", "mbstd"], { group_size: 8 }), [
    undefined,
    undefined,
    8,
  ]);
});

Deno.test("convert() reports what it found, and what it left out", async () => {
  const { report } = await teacherOf("ada.pkl");
  assert.deepEqual(report, {
    source: "nvlabs",
    format: "pickle",
    found: [
      'generator of NVlabs\' StyleGAN2 below "G_ema"',
      "32 px, channels 32, 32, 24, 12, styles of 32, 4 mapping layers",
      "features are clamped at 256",
      'discriminator of NVlabs\' StyleGAN2 below "D", channels 32, 32, 24, 12',
    ],
    wMean: "file",
    leftOut: { G: 79 },
  });
  const { report: alone, discriminator, weights } = await teacherOf("ada.pkl", {
    discriminator: false,
  });
  assert.equal(discriminator, null);
  assert.deepEqual(under(weights, "discriminator"), {});
  assert.deepEqual(alone.leftOut, { D: 37, G: 79 });
});

Deno.test("convert() knows the published sizes of 1024 px networks", () => {
  const sizes = { channels: channelsOf(1024), styleDim: 512, mappingLayers: 8 };
  const student = { channels: channelsOf(512), styleDim: 512 };
  const count = (entries: readonly Entry[], omitted = /^noise\.|w_mean$/) =>
    entries.filter(({ to }) => to && !omitted.test(to.name))
      .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const mapping = mappingEntries(rosinalityNames.mapping!, sizes);
  assert.equal(count(mapping), 2_101_248);
  assert.equal(count(synthesisEntries(rosinalityNames, sizes)), 28_268_812);
  assert.equal(count(nvlabsGeneratorEntries(sizes)), 2_101_248 + 28_268_812);
  assert.equal(count(discriminatorEntries(sizes.channels)), 29_012_513);
  assert.equal(count(nvlabsDiscriminatorEntries(sizes.channels)), 29_012_513);
  assert.equal(count(studentEntries(student), /\.coefficients$/), 8_852_079);
  assert.equal(count(studentEntries(student), /^$/), 8_855_823);
  // torchvision's documented 23,834,568 less its 1000 classes, without running statistics.
  assert.equal(count(inceptionEntries(), /^fc\.|running/), 21_785_568);
});

Deno.test("convert() lists missing, unknown and mis-shaped keys", async () => {
  const table = goldenTable("rosinality_legacy.pt");
  await refuses(
    edited(table, {
      "g_ema.convs.1.conv.weight": undefined,
      "g_ema.style.2.bias": undefined,
      "g_ema.extra": zeros(1),
    }),
    'Cannot convert "rosinality_legacy.pt": expected the keys of a generator of rosinality\'s ' +
      'StyleGAN2 but received 2 missing ("g_ema.style.2.bias", "g_ema.convs.1.conv.weight") and ' +
      '1 unknown ("g_ema.extra")',
  );
  await refuses(
    edited(table, {
      "g_ema.convs.1.noise.weight": zeros(2),
      "g_ema.to_rgbs.0.bias": zeros(1, 4, 1, 1),
    }),
    'Cannot convert "rosinality_legacy.pt": expected the keys of a generator of rosinality\'s ' +
      'StyleGAN2 but received 2 mis-shaped ("g_ema.convs.1.noise.weight [2] instead of [1]", ' +
      '"g_ema.to_rgbs.0.bias [1,4,1,1] instead of [1,3,1,1]")',
  );
  const many = Array.from({ length: 9 }, (_, i) => [`d.x${i}`, zeros(1)]);
  await refuses(
    edited(table, Object.fromEntries(many)),
    'Cannot convert "rosinality_legacy.pt": expected the keys of a discriminator of rosinality\'s ' +
      'StyleGAN2 but received 9 unknown ("d.x0", "d.x1", "d.x2", "d.x3", "d.x4", "d.x5", "d.x6", ' +
      '"d.x7", ...)',
  );
});

Deno.test("convert() refuses any one key that is missing, by its name", async () => {
  const table = goldenTable("mobilestylegan.ckpt");
  const optional = /device_info|idwt|kernel|style_mean|^state_dict\.(loss\.(?!gan)|inception)/;
  const names = [...table.tensors.keys()].filter((name) => !optional.test(name));
  assert.equal(names.length, 134);
  for (const name of names) {
    const kind = name.startsWith("state_dict.synthesis_net.") ? "teacher" : "student";
    const message = new RegExp(`\\d missing \\(.*"${name.replaceAll(".", "\\.")}"`);
    await refuses(edited(table, { [name]: undefined }), message, { kind });
  }
});

Deno.test("convert() refuses weights that are not finite, and other filters", async () => {
  const table = goldenTable("rosinality_legacy.pt");
  const bias = zeros(32);
  bias.data[3] = NaN;
  await refuses(
    edited(table, { "g_ema.conv1.activate.bias": bias }),
    'Cannot convert "rosinality_legacy.pt": expected finite weights but received NaN or infinity ' +
      'in "g_ema.conv1.activate.bias"',
  );
  await refuses(
    edited(table, { "g_ema.convs.0.conv.blur.kernel": zeros(4, 4) }),
    'Cannot convert "rosinality_legacy.pt": expected the fixed filter ' +
      '"g_ema.convs.0.conv.blur.kernel" to start with 0.06250, 0.1875, 0.1875, 0.06250 but ' +
      "received 0.000, 0.000, 0.000, 0.000; networks with other filters are not supported",
  );
});

Deno.test("convert() refuses a small file that claims much", async () => {
  const table = goldenTable("rosinality_legacy.pt");
  const storage = { size: 10 };
  const claims = [...table.tensors].map(([name, { shape }]): [string, TableTensor] => [name, {
    shape: name.includes("noises.") ? shape : shape.map((size) => size === 32 ? 16384 : size),
    storage,
    read: () => assert.fail("nothing may be read"),
  }]);
  await refuses(
    { ...table, tensors: new Map(claims) },
    /expected a generator of rosinality's StyleGAN2 of tensors of its own but received \d+ elements from 10 stored$/,
  );
});

Deno.test("convert() refuses sizes that the networks do not have", async () => {
  const table = goldenTable("rosinality_legacy.pt");
  const small = [...table.tensors.keys()].filter((name) =>
    /^g_ema\.(convs\.[2-9]|to_rgbs\.[1-9]|noises\.noise_[3-9])|^d\./.test(name)
  );
  await refuses(
    edited(table, Object.fromEntries(small.map((name) => [name, undefined]))),
    'Cannot build the teacher: expected "sizePx" to be a power of two from 16 to 1024 but received 8',
  );
});

Deno.test("convert() names what it does not know, and why", async () => {
  const known =
    "weights of rosinality's, NVlabs' or MobileStyleGAN's code, torchvision's VGG16 or pytorch-fid's Inception";
  const of = (saved: Saved) => convert(writeTorch(saved));
  const rejects = (promise: Promise<unknown>, message: string) =>
    assert.rejects(promise, { name: "RangeError", message });
  await rejects(of({}), `Cannot convert "bytes": expected ${known} but received no tensors`);
  const five = Object.fromEntries("abcde".split("").map((name) => [name, zeros(1)]));
  await rejects(
    of(five),
    `Cannot convert "bytes": expected ${known} but received 5 tensors ("a", "b", "c", "d", ...)`,
  );
  await rejects(
    of({ G_ema: { synthesis: { L0_36_512: { weight: zeros(1) } } } }),
    `Cannot convert "bytes": expected ${known} but received a StyleGAN3 network of the alias-free kinds (T, R), which no StyleGAN2 can replace`,
  );
  await rejects(
    of({ G_ema: { mapping: { embed: { weight: zeros(1) } } } }),
    `Cannot convert "bytes": expected ${known} but received a class-conditional network; only unconditional ones are supported`,
  );
  const network = `${global("dnnlib.tflib.network", "Network")})\x81`;
  await rejects(
    convert(pickleOf(`${network}${network}\x86`)),
    `Cannot convert "bytes": expected ${known} but received a TensorFlow pickle; convert it with legacy.py of stylegan2-ada-pytorch first`,
  );
  await rejects(
    teacherOf("mobilestylegan.ckpt", { kind: "inception" }),
    `Cannot convert "${
      path("mobilestylegan.ckpt").href
    }": expected pytorch-fid's Inception but received 208 tensors ("state_dict.style_mean", "state_dict.device_info", "state_dict.mapping_net.layers.1.weight", "state_dict.mapping_net.layers.1.bias", ...)`,
  );
  await rejects(
    convert([]),
    "Cannot convert weights: expected at least one file but received none",
  );
});

Deno.test("convert() says which file cannot be opened or read", async () => {
  await assert.rejects(convert("missing.pt"), {
    name: "Error",
    message:
      /^Cannot convert "missing\.pt": expected a file that can be opened but received ".*missing\.pt.*"$/,
  });
  await assert.rejects(convert(raw("\x80\x02cos\nsystem\n.")), {
    name: "SyntaxError",
    message:
      'Cannot read "bytes" at byte 2: expected names that weights need but received "os system", which could run code; nothing was run',
  });
});

/** The tensors of a table below a prefix, to be saved again. */
function savedBelow({ tensors }: WeightTable, prefix: string): Record<string, HostArray> {
  return Object.fromEntries(
    [...tensors].filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor.read()]),
  );
}

Deno.test("convert() takes the author's teacher as two files, in any order", async () => {
  const table = goldenTable("mobilestylegan.ckpt");
  const mean = { "style_mean": golden("mobilestylegan/style_mean") };
  const mapping = writeTorch({
    params: { style_dim: 32, n_layers: 4 },
    ckpt: savedBelow(table, "state_dict.mapping_net."),
    ...mean,
  });
  const synthesis = writeTorch({
    params: { size: 32 },
    ckpt: savedBelow(table, "state_dict.synthesis_net."),
  });
  const expected = await teacherOf("mobilestylegan.ckpt", { discriminator: false });
  for (const pair of [[mapping, synthesis], [synthesis, mapping]]) {
    const { weights, report } = await convert(pair) as ConvertedTeacher;
    assert.deepEqual(weights, expected.weights);
    assert.equal(report.source, "mobilestylegan");
  }
  await assert.rejects(convert(synthesis), {
    name: "RangeError",
    message:
      'Cannot convert "bytes": expected the mapping network of MobileStyleGAN.pytorch beside the rest but received none; give both of the author\'s files',
  });
  await assert.rejects(convert([synthesis, synthesis]), {
    name: "RangeError",
    message:
      'Cannot convert "bytes": expected names that no other file has but received "ckpt.input.input"',
  });
});

Deno.test("convert() takes a bare state dict, one below another name, and safetensors", async () => {
  const table = goldenTable("rosinality_legacy.pt");
  const state = savedBelow(table, "g_ema.");
  const mean = { "latent_avg": table.tensors.get("latent_avg")!.read() };
  const expected = await teacherOf("rosinality_legacy.pt", { discriminator: false });
  const flat = prefixed("g_ema", state);
  const files = [
    writeTorch({ ...state, ...mean }),
    writeTorch({ state_dict: { decoder: state }, ...mean }),
    writeTorch({ params_ema: state, params: state, ...mean }),
    writeSafetensors({ ...flat, ...mean }),
  ];
  for (const file of files) {
    const { weights, noise, config } = await convert(file) as ConvertedTeacher;
    assert.deepEqual({ weights, noise, config }, {
      weights: expected.weights,
      noise: expected.noise,
      config: expected.config,
    });
  }
});

Deno.test("convert() estimates the average style where a file has none", async () => {
  const table = edited(goldenTable("rosinality_legacy.pt"), { "latent_avg": undefined });
  const engine = await createEngine({ engine: "tfjs" });
  const meanOf = async (seed: number) => {
    const { weights, report } = await convertTable(table, { engine, seed });
    assert.equal(report.wMean, "estimated");
    return weights["mapping.w_mean"]!.data;
  };
  const [first, again, other] = [await meanOf(1), await meanOf(1), await meanOf(2)];
  assert.deepEqual(first, again);
  assert.notDeepEqual(first, other);
  // Of 10,000 against the file's 4096 latents.
  const expected = golden("rosinality/latent_avg").data;
  const scale = Math.hypot(...expected) / Math.sqrt(32);
  expected.forEach((value, i) => assert.ok(Math.abs(value - first[i]!) < 0.1 * scale));
  await engine.dispose();
});

Deno.test("convert() takes VGG16 from torchvision's state dict", async () => {
  const source = savedBelow(
    goldenTable("mobilestylegan.ckpt"),
    "state_dict.loss.perceptual_loss.net.net.",
  );
  const state: Record<string, HostArray> = {
    ...prefixed("features", source),
    "classifier.0.weight": zeros(2, 2),
  };
  const { kind, weights, report } = await convert(writeTorch(state));
  assert.equal(kind, "vgg16");
  assert.deepEqual(weights["features.0.weight"]!.shape, [3, 3, 3, 4]);
  assert.equal(Object.keys(weights).length, 26);
  assert.deepEqual(report, {
    source: "torchvision",
    format: "zip",
    found: ['VGG16 of torchvision below "features"'],
    wMean: null,
    leftOut: { classifier: 1 },
  });
  const { "features.7.weight": _, ...incomplete } = state;
  await assert.rejects(convert(writeTorch(incomplete)), {
    name: "RangeError",
    message:
      'Cannot convert "bytes": expected the keys of a VGG16 of torchvision but received 1 missing ("features.7.weight")',
  });
});

Deno.test("convert() takes pytorch-fid's Inception and merges its normalisations", async () => {
  const tensors = new Map<string, TableTensor>();
  const put = (name: string, shape: readonly number[], value: (i: number) => number) => {
    const size = shape.reduce((a, b) => a * b, 1);
    tensors.set(name, {
      shape,
      storage: { size },
      read: () => ({ shape, data: Float32Array.from({ length: size }, (_, i) => value(i)) }),
    });
  };
  for (const { from, shape } of inceptionEntries()) {
    if (from.endsWith("running_var")) put(from, shape, () => 4 - 1e-3);
    else if (from.endsWith("running_mean")) put(from, shape, (i) => i);
    else if (from.endsWith("bn.weight")) put(from, shape, () => 3);
    else if (from.endsWith("bn.bias")) put(from, shape, () => 1);
    else put(from, shape, (i) => i % 7);
  }
  put("Mixed_5b.branch1x1.bn.num_batches_tracked", [], () => 0);
  const table: WeightTable = {
    name: "inception.pth",
    format: "zip",
    tensors,
    value: null,
    metadata: {},
  };
  const { kind, weights } = await convertTable(table);
  assert.equal(kind, "inception");
  assert.deepEqual(weights["Mixed_6b.branch7x7_2.weight"]!.shape, [1, 7, 128, 128]);
  assert.deepEqual(weights["fc.weight"]!.shape, [2048, 1008]);
  assert.equal(Object.keys(weights).length, 2 * 94 + 2);
  const { shape, data } = weights["Conv2d_1a_3x3.weight"]!; // [3,3,3,32] of OIHW, times 3 / sqrt(4)
  assert.deepEqual(shape, [3, 3, 3, 32]);
  const at = (h: number, w: number, i: number, o: number) => data[((h * 3 + w) * 3 + i) * 32 + o]!;
  const original = (h: number, w: number, i: number, o: number) =>
    (((o * 3 + i) * 3 + h) * 3 + w) % 7;
  for (const [h, w, i, o] of [[0, 0, 0, 0], [1, 2, 0, 5], [2, 1, 2, 31]] as const) {
    assert.ok(Math.abs(at(h, w, i, o) - 1.5 * original(h, w, i, o)) < 1e-5);
  }
  const bias = weights["Conv2d_1a_3x3.bias"]!.data;
  assert.ok(Math.abs(bias[4]! - (1 - 4 * 1.5)) < 1e-5);
});

Deno.test("convert() gives all weights or lists what does not fit, whatever is changed", async () => {
  const tables = ["rosinality_legacy.pt", "ada.pkl", "mobilestylegan.ckpt"].map((file) => {
    const table = goldenTable(file);
    return { table, names: [...table.tensors.keys()] };
  });
  const engine = await createEngine({ engine: "tfjs" });
  const change = fc.tuple(
    fc.constantFrom("remove", "rename", "reshape", "add"),
    fc.nat(),
    fc.array(fc.nat(40), { maxLength: 5 }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...tables),
      fc.array(change, { minLength: 1, maxLength: 3 }),
      async ({ table, names }, changes) => {
        let next = table;
        for (const [kind, which, shape] of changes) {
          const name = names[which % names.length]!;
          const tensor = next.tensors.get(name);
          if (kind === "add") next = edited(next, { [`${name}x`]: zeros(...shape) });
          else if (kind === "reshape") next = edited(next, { [name]: zeros(...shape) });
          else next = edited(next, { [name]: undefined });
          if (kind === "rename" && tensor) next = edited(next, { [`${name}y`]: tensor.read() });
        }
        try {
          const { weights } = await convertTable(next, { engine });
          for (const { shape, data } of Object.values(weights)) {
            assert.equal(data.length, shape.reduce((a, b) => a * b, 1));
          }
        } catch (error) {
          assert.ok(error instanceof RangeError, `${error}`);
          assert.match(error.message, /^Cannot (convert|build) .*: expected .* but received .*$/);
        }
      },
    ),
    { numRuns: 300, seed: 1 },
  );
  await engine.dispose();
});
