/** Micro-batches give what the whole batch gives: every term, both trainings, on every engine. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Weights } from "../../core/contracts.ts";
import { openAvatars } from "../../data/avatars.ts";
import { createEngine, type Engine } from "../../engine/mod.ts";
import { readSafetensorsFile } from "../../io/safetensors.ts";
import { channelsOf } from "../../networks/config.ts";
import { createTeacher } from "../../networks/generator.ts";
import { distill } from "../../pipelines/distill.ts";
import type { DistillInput } from "../../pipelines/distill_config.ts";
import type { TrainingEvent } from "../../pipelines/events.ts";
import { trainTeacher } from "../../pipelines/train_teacher.ts";
import { createRegistry } from "../../registry.ts";
import { tinyDistill, tinyTeacher, tinyTraining } from "./tiny.ts";

const engine = await createEngine({ threads: 1 });
const eager = await createEngine({ engine: "tfjs" });
const folder = await Deno.makeTempDir({ prefix: "haarlem-accumulate-" });
const registry = createRegistry();
const images = await openAvatars({ sizePx: 16, cacheDir: null });

Deno.test.afterAll(async () => {
  await engine.dispose();
  await eager.dispose();
  await Deno.remove(folder, { recursive: true });
});

/** One step with every term; an epsilon that keeps Adam from blowing up rounding errors. */
const oneStep = {
  ...tinyDistill,
  steps: 1,
  checkpointSteps: 1,
  styleMixing: 0.5,
  losses: [
    { name: "pixel" },
    { name: "wavelet" },
    { name: "perceptual" },
    { name: "adversarial", from: 0, options: { augment: { flip: 0.5, move: 0.5, erase: 0.5 } } },
    { name: "r1", from: 0, options: { gamma: 0.1 } },
    { name: "band_smoothness", weight: 0.1, options: { target: "teacher" } },
  ],
  optimiser: { learningRate: 2e-3, clipNorm: 1, epsilon: 1e-2 },
} as const satisfies DistillInput;

interface Result {
  readonly losses: Readonly<Record<string, number>>;
  readonly arrays: Weights;
}

async function resultOf(events: AsyncIterable<TrainingEvent<unknown>>): Promise<Result> {
  let losses: Result["losses"] = {};
  let arrays: Weights | undefined;
  for await (const event of events) {
    if (event.kind === "step") losses = event.losses;
    if (event.kind === "checkpoint") arrays = (await readSafetensorsFile(event.path)).tensors;
  }
  return { losses, arrays: arrays! };
}

const distilled = (
  out: string,
  config: DistillInput,
  on: Engine = engine,
  teacher = tinyTeacher(),
) => resultOf(distill(config, { engine: on, registry, teacher, out: join(folder, out) }));

/**
 * Losses and arrays agree to a part of the largest number. Where Adam's own epsilon turns rounding errors
 * into steps, only the moments of the gradients are compared.
 */
function assertEqual(
  actual: Result,
  expected: Result,
  arrays: RegExp,
  tolerance = 1e-5,
): void {
  for (const [name, value] of Object.entries(expected.losses)) {
    const got = actual.losses[name]!;
    const allowed = tolerance * Math.max(1, Math.abs(value));
    assert.ok(Math.abs(got - value) <= allowed, `${name}: ${got} instead of ${value}`);
  }
  assert.deepEqual(Object.keys(actual.losses).sort(), Object.keys(expected.losses).sort());
  const names = Object.keys(expected.arrays).filter((name) => arrays.test(name));
  assert.ok(names.length > 0);
  for (const name of names) {
    const [a, b] = [actual.arrays[name]!.data, expected.arrays[name]!.data];
    const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const difference = b.reduce((most, value, i) => Math.max(most, Math.abs(value - a[i]!)), 0);
    assert.ok(
      largest > 0 && difference <= tolerance * largest,
      `${name}: ${difference} of ${largest}`,
    );
  }
}

const STUDENT = /^student\.|^discriminator\.(mean|power)$/;

Deno.test("distill() with accumulate makes the step of the whole batch, of every term", async () => {
  const whole = await distilled("whole", oneStep);
  assert.equal(Object.keys(whole.losses).length, 8);
  assertEqual(await distilled("parts", { ...oneStep, accumulate: 2 }), whole, STUDENT);
});

Deno.test("distill() with accumulate does the same on the engine tfjs", async () => {
  const config = { ...oneStep, losses: oneStep.losses.slice(0, 5) };
  const whole = await distilled("whole-few", config);
  assertEqual(await distilled("eager", { ...config, accumulate: 2 }, eager), whole, STUDENT);
});

/** An engine that is told to be one with two lanes and fast one by one, and which functions ran. */
function withLanes(): { engine: Engine; ran: Set<string> } {
  const ran = new Set<string>();
  const compile = ((fn: never, options: { readonly name: string }) => {
    const compiled = engine.compile(fn, options);
    return Object.assign((...given: Parameters<typeof compiled>) => {
      ran.add(options.name.replace(/ \(.*/, ""));
      return compiled(...given);
    }, compiled);
  }) as Engine["compile"];
  return { engine: { ...engine, lanes: 2, largeBatches: "images", compile }, ran };
}

Deno.test("distill() on an engine with lanes makes the step of the whole batch in parts", async () => {
  const config = { ...oneStep, losses: oneStep.losses.slice(0, 5) };
  const whole = await distilled("whole-lanes", config);
  const { engine, ran } = withLanes();
  assertEqual(await distilled("lanes", config, engine), whole, STUDENT);
  assert.ok(ran.has("student gradients") && ran.has("discriminator gradients"));
  assert.ok(!ran.has("student step") && !ran.has("discriminator step"));
});

Deno.test("distill() on an engine with lanes keeps a batch whole where a term asks for it", async () => {
  const { engine, ran } = withLanes();
  await distilled("lanes-whole", oneStep, engine);
  assert.ok(ran.has("student step") && !ran.has("student gradients"));
});

Deno.test("distill() on an engine with lanes takes large images one by one", async () => {
  const sizePx = 256;
  const channels = channelsOf(sizePx, { base: 1024, maximum: 8 });
  const config = { sizePx, styleDim: 4, mappingLayers: 1, channels };
  const teacher = createTeacher(config, { seed: 3 });
  const step = { ...oneStep, batch: 4, losses: oneStep.losses.slice(0, 2) };
  const whole = await distilled("whole-large", step, engine, teacher);
  const { engine: lanes, ran } = withLanes();
  // ONNX Runtime adds up the 200,000 numbers of a batch's band one after the other.
  assertEqual(await distilled("large", step, lanes, teacher), whole, /^student\./, 1e-4);
  assert.ok(ran.has("student gradients") && !ran.has("student step"));
});

Deno.test("distill() with micro-batches smaller than a group says so", async () => {
  const context = { engine, registry, teacher: tinyTeacher(), out: join(folder, "small") };
  const events = await Array.fromAsync(distill({ ...oneStep, accumulate: 4 }, context));
  assert.ok(
    events[0]!.kind === "start" && events[0]!.notes.includes(
      "adds the gradients of 4 micro-batches of 2 images; the minibatch deviation is that of 2 images instead of 4",
    ),
  );
});

Deno.test("distill() goes on with another number of micro-batches", async () => {
  const config = { ...tinyDistill, losses: tinyDistill.losses.slice(0, 2), steps: 2 };
  await distilled("resumed", config);
  const events = await Array.fromAsync(
    distill({ ...config, steps: 4, accumulate: 4 }, {
      engine,
      registry,
      teacher: tinyTeacher(),
      out: join(folder, "resumed"),
    }),
  );
  assert.ok(events[0]!.kind === "start" && events[0]!.step === 2);
  assert.equal(events.filter(({ kind }) => kind === "step").length, 2);
});

Deno.test("distill() stopped and run again with accumulate ends with the same bytes", async () => {
  const config = { ...tinyDistill, accumulate: 2 };
  const run = async (out: string, stopAt: number) => {
    const abort = new AbortController();
    const context = { engine, registry, teacher: tinyTeacher(), out: join(folder, out) };
    for await (const event of distill(config, { ...context, signal: abort.signal })) {
      if (event.kind === "step" && event.step === stopAt) abort.abort();
    }
  };
  await run("bytes", 0);
  await run("bytes-stopped", 9);
  await run("bytes-stopped", 0);
  const bytes = (out: string) => Deno.readFile(join(folder, out, "student.safetensors"));
  assert.deepEqual(await bytes("bytes-stopped"), await bytes("bytes"));
});

Deno.test("distill() refuses micro-batches of different sizes", async () => {
  await assert.rejects(distilled("wrong", { ...oneStep, accumulate: 3 }), {
    name: "RangeError",
    message:
      'Cannot read the configuration: "accumulate": expected a divisor of "batch", 8, but received 3',
  });
});

Deno.test("trainTeacher() with accumulate makes the step of the whole batch", async () => {
  const config = {
    ...tinyTraining,
    batch: 8,
    kimg: 0.008,
    losses: [
      ...tinyTraining.losses,
      { name: "path_length", weight: 0.1, options: { target: 1 } },
    ],
  };
  const trained = (out: string, accumulate: number) =>
    resultOf(
      trainTeacher({ ...config, accumulate }, {
        engine,
        registry,
        images,
        out: join(folder, out),
      }),
    );
  const whole = await trained("teacher", 1);
  assert.equal(Object.keys(whole.losses).length, 4);
  assertEqual(await trained("teacher-parts", 2), whole, /\.power$/);
});

Deno.test("trainTeacher() on an engine with lanes makes the step of the whole batch in parts", async () => {
  const config = { ...tinyTraining, batch: 8, kimg: 0.008 };
  const trained = (out: string, on: Engine) =>
    resultOf(trainTeacher(config, { engine: on, registry, images, out: join(folder, out) }));
  const { engine: lanes, ran } = withLanes();
  assertEqual(
    await trained("teacher-lanes", lanes),
    await trained("teacher-whole", engine),
    /\.power$/,
  );
  assert.ok(ran.has("generator gradients") && ran.has("discriminator gradients"));
});
