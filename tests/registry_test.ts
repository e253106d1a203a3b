import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import type { PartSource, Plugin } from "../core/contracts.ts";
import { defineHead, defineLoss, definePlugin } from "../core/define.ts";
import type { AnyPart, ChoiceOf, Registry } from "../core/registry.ts";
import { builtin, createRegistry } from "../registry.ts";

const charbonnier = defineLoss({
  name: "acme/charbonnier",
  summary: "smooth L1",
  source: "Charbonnier et al., ICIP 1994",
  options: z.object({
    epsilon: z.number().positive().default(1e-3),
    bands: z.object({ ll: z.number().default(1) }).prefault({}),
  }),
  student: () => tf.scalar(0),
});
const acme = definePlugin({ name: "acme", version: "1.0.0", losses: [charbonnier] });

/** The error that a plugin of any shape gives. */
function errorOf(plugin: unknown): unknown {
  try {
    createRegistry().use(plugin as Plugin);
  } catch (error) {
    return error;
  }
  throw new Error("Expected an error");
}

Deno.test("createRegistry() has the built-in parts", () => {
  const registry = createRegistry();
  const names = Object.groupBy(registry.list(), ({ kind }) => kind);
  assert.deepEqual(
    Object.fromEntries(
      Object.entries(names).map(([kind, parts]) => [kind, parts.map(({ name }) => name)]),
    ),
    {
      upscale: ["idwt", "conv_transpose", "bilinear"],
      conv: ["separable_modulated", "modulated"],
      demodulation: ["styled", "trainable", "frozen"],
      head: ["single", "skip"],
      loss: [
        "pixel",
        "wavelet",
        "perceptual",
        "adversarial",
        "r1",
        "band_smoothness",
        "path_length",
      ],
      metric: ["fid", "kid", "swd", "precision_recall", "ppl", "distance", "cost"],
    },
  );
  assert.deepEqual(registry.plugins, [builtin]);
});

Deno.test("Registry.list() tells what a part is and which options it has", () => {
  const [single] = createRegistry().list("head");
  assert.deepEqual(single, {
    kind: "head",
    name: "single",
    summary: "the paper's head: each scale predicts its whole image, the last is the output",
    source: "MobileStyleGAN, arXiv:2104.04767, section 3.1",
    plugin: "haarlem",
    options: {
      type: "object",
      properties: { gain: { type: "number", exclusiveMinimum: 0, default: 1 } },
    },
  });
});

Deno.test("Registry.use() adds parts that resolve with their defaults", () => {
  const registry = createRegistry().use(acme);
  const { part, options } = registry.resolve("loss", { name: "acme/charbonnier" });
  assert.equal(part, charbonnier);
  assert.deepEqual(options, { epsilon: 1e-3, bands: { ll: 1 } });
  const chosen = registry.resolve("loss", {
    name: "acme/charbonnier",
    options: { epsilon: 0.5, bands: { ll: 2 } },
  });
  assert.deepEqual(chosen.options, { epsilon: 0.5, bands: { ll: 2 } });
  assert.equal(registry.list("loss").at(-1)?.plugin, "acme");
});

Deno.test("Registry.use() of the same plugin again does nothing", () => {
  const registry = createRegistry().use(acme);
  assert.equal(registry.use(acme), registry as unknown);
  assert.deepEqual(registry.plugins, [builtin, acme]);
});

Deno.test("Registry.use() names both owners of a name", () => {
  const registry = createRegistry().use(acme);
  const second = definePlugin({ name: "acme", version: "2.0.0", losses: [charbonnier] });
  assert.throws(() => registry.use(second), {
    name: "TypeError",
    message:
      'Cannot add loss "acme/charbonnier" of plugin "acme" 2.0.0: plugin "acme" 1.0.0 already has it',
  });
  const twice = definePlugin({ name: "acme", losses: [charbonnier, charbonnier] });
  assert.throws(() => createRegistry().use(twice), {
    name: "TypeError",
    message: 'Cannot add loss "acme/charbonnier" of plugin "acme": plugin "acme" already has it',
  });
});

Deno.test("Registry.use() adds all parts of a plugin or none", () => {
  const registry = createRegistry();
  const broken = { name: "acme", losses: [charbonnier, { ...charbonnier, name: "acme/Wrong" }] };
  assert.throws(() => registry.use(broken as Plugin));
  assert.deepEqual(registry.plugins, [builtin]);
  assert.equal(registry.list("loss").some(({ name }) => name.startsWith("acme/")), false);
});

Deno.test("Registry.resolve() lists the known names and the nearest", () => {
  const source: PartSource = createRegistry().use(acme);
  const losses =
    '"pixel", "wavelet", "perceptual", "adversarial", "r1", "band_smoothness", "path_length", "acme/charbonnier"';
  assert.throws(() => source.resolve("loss", { name: "pixle" }), {
    name: "RangeError",
    message: `Cannot find loss "pixle": known names are ${losses}; did you mean "pixel"?`,
  });
  assert.throws(() => source.resolve("loss", { name: "charbonier" }), {
    name: "RangeError",
    message:
      `Cannot find loss "charbonier": known names are ${losses}; did you mean "acme/charbonnier"?`,
  });
  assert.throws(() => source.resolve("loss", { name: "something_else" }), {
    name: "RangeError",
    message: `Cannot find loss "something_else": known names are ${losses}`,
  });
});

Deno.test("Registry.resolve() says which plugin a name needs that is not loaded", () => {
  const source: PartSource = createRegistry().use(acme);
  assert.throws(() => source.resolve("loss", { name: "robust/welsch" }), {
    name: "RangeError",
    message:
      'Cannot find loss "robust/welsch": expected the plugin "robust" to be loaded but received only "haarlem", "acme"; give it by --plugin, or by use() in code',
  });
});

Deno.test("Registry.resolve() tells every wrong option with its path", () => {
  const source: PartSource = createRegistry().use(acme);
  const options = { epsilon: -1, epsilo: 1, bands: { ll: "x", lo: 1 } };
  assert.throws(() => source.resolve("loss", { name: "acme/charbonnier", options }), {
    name: "RangeError",
    message: 'Cannot use loss "acme/charbonnier": expected valid options but received ' +
      '{"epsilon":-1,"epsilo":1,"bands":{"ll":"x","lo":1}} ' +
      "(epsilon: Too small: expected number to be >0; " +
      "bands.ll: Invalid input: expected number, received string; " +
      'epsilo: unknown option; did you mean "epsilon"?; ' +
      'bands.lo: unknown option; did you mean "ll"?)',
  });
});

Deno.test("Registry.resolve() reports a name that the schema itself refuses once", () => {
  const strict = defineLoss({ ...charbonnier, options: z.strictObject({ epsilon: z.number() }) });
  const source: PartSource = createRegistry().use({ name: "acme", losses: [strict] });
  const options = { epsilon: 1, epsilonn: 1 };
  assert.throws(() => source.resolve("loss", { name: "acme/charbonnier", options }), {
    name: "RangeError",
    message:
      'Cannot use loss "acme/charbonnier": expected valid options but received {"epsilon":1,"epsilonn":1} (epsilonn: unknown option; did you mean "epsilon"?)',
  });
});

Deno.test("Registry.resolve() takes any Standard Schema, and refuses asynchronous ones", () => {
  const schema = (validate: (value: unknown) => unknown) =>
    ({ "~standard": { version: 1, vendor: "acme", validate } }) as never;
  const using = (validate: (value: unknown) => unknown): PartSource =>
    createRegistry().use({
      name: "acme",
      losses: [{ ...charbonnier, options: schema(validate) }],
    });
  const doubled = using((value) => ({ value: { epsilon: (value as { e: number }).e * 2 } }));
  const choice = { name: "acme/charbonnier", options: { e: 3 } };
  assert.deepEqual(doubled.resolve("loss", choice).options, { epsilon: 6 });
  const failing = using(() => ({ issues: [{ message: "no" }, { message: "nor", path: ["e"] }] }));
  assert.throws(() => failing.resolve("loss", choice), {
    name: "RangeError",
    message:
      'Cannot use loss "acme/charbonnier": expected valid options but received {"e":3} (options: no; e: nor)',
  });
  const slow = using(() => Promise.resolve({ value: {} }));
  assert.throws(() => slow.resolve("loss", choice), {
    name: "TypeError",
    message:
      'Cannot use loss "acme/charbonnier": expected options that are validated synchronously but received a promise',
  });
});

Deno.test("Registry.resolve() throws if a choice is not one", () => {
  const source: PartSource = createRegistry();
  for (const choice of ["idwt", null, { options: {} }, { name: "idwt", options: 1 }]) {
    assert.throws(() => source.resolve("upscale", choice as never), {
      name: "TypeError",
      message:
        `Cannot choose an upscale: expected { "name": ..., "options": { ... } } but received ${
          JSON.stringify(choice)
        }`,
    });
  }
});

Deno.test("Registry.use() says what is wrong with a plugin", () => {
  const messages: [unknown, string][] = [
    [
      undefined,
      "Cannot use a plugin: expected an object made by definePlugin() but received undefined",
    ],
    [
      { losses: [] },
      'Cannot use a plugin: expected an object made by definePlugin() but received {"losses":[]}',
    ],
    [
      { name: "Acme!" },
      'Cannot use plugin "Acme!": expected "name" to be lower-case letters, digits, "_" and "-" but received "Acme!"',
    ],
    [
      { name: "acme", version: 1 },
      'Cannot use plugin "acme": expected "version" to be a string but received 1',
    ],
    [
      { name: "acme", loses: [] },
      'Cannot use plugin "acme": expected the fields name, version, upscales, convs, demodulations, heads, losses, metrics but received "loses"; did you mean "losses"?',
    ],
    [
      { name: "acme", losses: charbonnier.student },
      'Cannot use plugin "acme": expected "losses" to be an array but received a function',
    ],
    [
      { name: "acme", upscales: [charbonnier] },
      'Cannot use plugin "acme": expected upscales[0] to be made by defineUpscale() but received a part of kind "loss"',
    ],
    [
      { name: "acme", losses: ["pixel"] },
      'Cannot use plugin "acme": expected losses[0] to be made by defineLoss() but received "pixel"',
    ],
  ];
  for (const [plugin, message] of messages) {
    const error = errorOf(plugin);
    assert.ok(error instanceof TypeError);
    assert.equal(error.message, message);
  }
});

Deno.test("Registry.use() says what is wrong with a part", () => {
  const head = defineHead({
    name: "acme/head",
    summary: "s",
    source: "s",
    options: z.object({}),
    usesPrevious: false,
    init: () => ({}),
    apply: (_, { x }) => x,
  });
  const withLoss = (changes: object) => ({
    name: "acme",
    losses: [{ ...charbonnier, ...changes }],
  });
  const withHead = (changes: object) => ({ name: "acme", heads: [{ ...head, ...changes }] });
  const loss = 'Cannot add loss "acme/charbonnier" of plugin "acme"';
  const rule = '"name" to be "acme/" and a name of lower-case letters, digits and "_"';
  const messages: [unknown, string][] = [
    [
      withLoss({ name: "charbonnier" }),
      `Cannot add loss "charbonnier" of plugin "acme": expected ${rule} but received "charbonnier"`,
    ],
    [
      withLoss({ name: "acme/a.b" }),
      `Cannot add loss "acme/a.b" of plugin "acme": expected ${rule} but received "acme/a.b"`,
    ],
    [withLoss({ summary: "" }), `${loss}: expected "summary" to be one line but received ""`],
    [
      withLoss({ source: undefined }),
      `${loss}: expected "source" to be one line but received undefined`,
    ],
    [
      withLoss({ options: {} }),
      `${loss}: expected "options" to be a Standard Schema, such as z.object({}) but received {}`,
    ],
    [
      withLoss({ student: undefined }),
      `${loss}: expected a function "student" or "discriminator" but received undefined`,
    ],
    [withLoss({ student: 1 }), `${loss}: expected "student" to be a function but received 1`],
    [
      withHead({ apply: undefined }),
      'Cannot add head "acme/head" of plugin "acme": expected a function "apply" but received undefined',
    ],
    [
      withHead({ usesPrevious: "no" }),
      'Cannot add head "acme/head" of plugin "acme": expected "usesPrevious" to be true or false but received "no"',
    ],
    [
      withHead({ buffers: "weight" }),
      'Cannot add head "acme/head" of plugin "acme": expected "buffers" to be names of weights but received "weight"',
    ],
  ];
  for (const [plugin, message] of messages) {
    const error = errorOf(plugin);
    assert.ok(error instanceof TypeError);
    assert.equal(error.message, message);
  }
});

/** Never called: what the compiler must accept and refuse. */
export function types(): void {
  const registry = createRegistry();
  const grown = registry.use(acme);
  const untyped: Registry = registry.use(acme as Plugin);
  const sources: PartSource[] = [registry, grown, untyped];

  const { part, options } = grown.resolve("loss", { name: "acme/charbonnier" });
  const name: "acme/charbonnier" = part.name;
  const epsilon: number = options.epsilon;
  const outChannels: number = registry.resolve("upscale", { name: "idwt" }).part.outChannels(8, {});
  const gain: number =
    registry.resolve("head", { name: "single", options: { gain: 1 } }).options.gain;
  const choice: ChoiceOf<PartsIn<typeof grown>, "upscale"> = { name: "bilinear" };
  untyped.resolve("loss", { name: "of anybody", options: { a: 1 } });

  // @ts-expect-error the registry does not know it yet
  registry.resolve("loss", { name: "acme/charbonnier" });
  // @ts-expect-error a misspelt name
  grown.resolve("upscale", { name: "iwdt" });
  // @ts-expect-error a name of another kind
  grown.resolve("conv", { name: "idwt" });
  // @ts-expect-error an option of another type
  grown.resolve("loss", { name: "acme/charbonnier", options: { epsilon: "small" } });
  // @ts-expect-error options of the built-in parts are known too
  registry.resolve("head", { name: "single", options: { gain: true } });
  // @ts-expect-error a misspelt list
  definePlugin({ name: "acme", loss: [charbonnier] });
  // @ts-expect-error a part in the list of another kind
  definePlugin({ name: "acme", upscales: [charbonnier] });
  void [sources, name, epsilon, outChannels, gain, choice];
}

type PartsIn<R> = R extends Registry<infer Part extends AnyPart> ? Part : never;
