import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import type { Weights } from "../../core/contracts.ts";
import { defineLoss, definePlugin } from "../../core/define.ts";
import { createEngine, type Engine } from "../../engine/mod.ts";
import { readNewestCheckpoint } from "../../io/checkpoint.ts";
import { distill } from "../../pipelines/distill.ts";
import type { TrainingEvent } from "../../pipelines/events.ts";
import { loadGenerator } from "../../pipelines/load_generator.ts";
import { createStudent, createTeacher, type Student } from "../../networks/generator.ts";
import { saveGenerator } from "../../pipelines/generator_file.ts";
import { createRegistry } from "../../registry.ts";
import { tinyDistill, tinyTeacher } from "./tiny.ts";

const engine = await createEngine({ threads: 1 });
const folder = await Deno.makeTempDir({ prefix: "haarlem-distill-" });
const registry = createRegistry();
const teacher = tinyTeacher();

Deno.test.afterAll(async () => {
  await engine.dispose();
  await Deno.remove(folder, { recursive: true });
});

type Event = TrainingEvent<Student>;

async function collect(
  out: string,
  { config = tinyDistill as Parameters<typeof distill>[0], until = (_: Event): boolean => false } =
    {},
): Promise<Event[]> {
  const abort = new AbortController();
  const events: Event[] = [];
  const context = { engine, registry, teacher, out: join(folder, out), signal: abort.signal };
  for await (const event of distill(config, context)) {
    events.push(event);
    if (until(event)) abort.abort();
  }
  return events;
}

const bytesOf = (run: string) => Deno.readFile(join(folder, run, "student.safetensors"));

Deno.test("distill() reports start, steps, samples, checkpoints and end, and improves", async () => {
  const events = await collect("whole");
  const kinds = new Set(events.map(({ kind }) => kind));
  assert.deepEqual([...kinds].sort(), ["checkpoint", "end", "sample", "start", "step"]);
  assert.equal(events.filter(({ kind }) => kind === "step").length, tinyDistill.steps);
  const end = events.at(-1)!;
  assert.ok(end.kind === "end" && end.finished);
  assert.ok(Number(end.summary["psnrDb"]) > Number(end.summary["startPsnrDb"]));
  const saved = await loadGenerator(end.path, { registry });
  assert.deepEqual(Object.keys(saved.weights).sort(), Object.keys(end.student.weights).sort());
});

/** The engine, with a list of what was compiled on it, and a set of what was not disposed yet. */
function watch() {
  const names: string[] = [];
  const live = new Map<unknown, string>();
  const watched: Engine = {
    ...engine,
    compile: ((fn, options) => {
      const made = engine.compile(fn, options);
      names.push(options.name);
      live.set(made, options.name);
      const dispose = async () => {
        live.delete(made);
        await made.dispose();
      };
      return Object.assign((...args: Parameters<typeof made>) => made(...args), made, { dispose });
    }) as Engine["compile"],
  };
  return { watched, names, live };
}

Deno.test("distill() opens its teacher for pictures once, and closes it before it trains", async () => {
  const { watched, names, live } = watch();
  const context = { engine: watched, registry, teacher, out: join(folder, "once") };
  const opened = () => names.filter((name) => name === "synthesis of the teacher").length;
  for await (const { kind } of distill({ ...tinyDistill, steps: 2 }, context)) {
    if (kind !== "step") continue;
    assert.equal(opened(), 1);
    assert.ok(![...live.values()].includes("synthesis of the teacher"));
  }
  assert.equal(opened(), 1);
});

Deno.test("distill() frees what it compiled, also when its reader leaves", async () => {
  const { watched, live } = watch();
  const context = { engine: watched, registry, teacher, out: join(folder, "freed") };
  for await (const { kind } of distill(tinyDistill, context)) {
    if (kind === "step") break;
  }
  assert.equal(live.size, 0);
});

Deno.test("distill() trains every term that has started, and only those", async () => {
  const lines = (await Deno.readTextFile(join(folder, "whole", "events.jsonl"))).trim().split("\n");
  const steps = lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === "step");
  const names = (step: number) => Object.keys(steps[step].losses);
  assert.deepEqual(names(1).sort(), ["gradientNorm", "pixel", "wavelet"]);
  assert.ok(names(0).includes("band_smoothness")); // step 0 is due for every lazy term
  assert.ok(names(9).includes("perceptual") && names(9).includes("discriminator.adversarial"));
  assert.ok(names(8).includes("discriminator.r1") && !names(9).includes("discriminator.r1"));
});

Deno.test("distill() stopped, and run again with other samples, ends with the same bytes", async () => {
  const first = await collect("resumed", { until: (e) => e.kind === "step" && e.step === 7 });
  assert.ok(first.at(-1)!.kind === "end" && !(first.at(-1) as { finished: boolean }).finished);
  const second = await collect("resumed", {
    config: { ...tinyDistill, sampleSteps: 5, checkpointSteps: 3 },
  });
  assert.equal(second[0]!.kind === "start" && second[0]!.step, 7);
  assert.deepEqual(await bytesOf("resumed"), await bytesOf("whole"));
});

Deno.test("distill() whose reader breaks out leaves a checkpoint", async () => {
  const context = { engine, registry, teacher, out: join(folder, "broken") };
  for await (const event of distill(tinyDistill, context)) {
    if (event.kind === "step" && event.step === 3) break;
  }
  const events = await collect("broken");
  assert.equal(events[0]!.kind === "start" && events[0]!.step, 3);
  assert.deepEqual(await bytesOf("broken"), await bytesOf("whole"));
});

Deno.test("distill() whose reader leaves at a checkpoint does not write it again", async () => {
  const context = { engine, registry, teacher, out: join(folder, "left") };
  let written: [path: string, at: Date | null] | undefined;
  for await (const event of distill({ ...tinyDistill, checkpointSteps: 2 }, context)) {
    if (event.kind !== "checkpoint") continue;
    written = [event.path, (await Deno.stat(event.path)).mtime];
    break;
  }
  const [path, at] = written!;
  assert.deepEqual((await Deno.stat(path)).mtime, at);
});

/** Distils in another process, and kills it once it has made this step. */
async function killAt(step: number, out: string): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", new URL("distill_child.ts", import.meta.url).href, out],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let text = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.split("\n").includes(String(step))) break;
  }
  child.kill("SIGKILL");
  await child.status;
}

Deno.test("distill() killed at any moment, and again, ends with the same bytes", async () => {
  for (const step of [5, 9]) await killAt(step, join(folder, "killed"));
  const events = await collect("killed");
  assert.ok(events[0]!.kind === "start" && events[0]!.step >= 8);
  assert.deepEqual(await bytesOf("killed"), await bytesOf("whole"));
});

Deno.test("distill() is repeated by the config.json of a run", async () => {
  const saved = JSON.parse(await Deno.readTextFile(join(folder, "whole", "config.json")));
  const events = await collect("repeated", { config: saved });
  assert.equal(events.at(-1)!.kind, "end");
  assert.deepEqual(await bytesOf("repeated"), await bytesOf("whole"));
});

Deno.test("distill() refuses another configuration in the same folder", async () => {
  await assert.rejects(collect("whole", { config: { ...tinyDistill, batch: 4 } }), {
    name: "RangeError",
    message: `Cannot resume "${
      join(folder, "whole")
    }": expected "batch" 8 as before but received 4; use --restart or another --out`,
  });
});

Deno.test("distill() names step, term and remedy when a loss is no number", async () => {
  const broken = defineLoss({
    name: "test/broken",
    summary: "log of a negative number",
    source: "test",
    options: z.object({}),
    student: ({ scales }) => tf.mean(tf.log(tf.neg(tf.abs(scales[0]!.studentImage)))),
  });
  const parts = createRegistry().use(definePlugin({ name: "test", losses: [broken] }));
  const out = join(folder, "nan");
  const config = {
    ...tinyDistill,
    losses: [{ name: "pixel" }, { name: "test/broken", from: 0.04 }],
  };
  await assert.rejects(
    Array.fromAsync(distill(config, { engine, registry: parts, teacher, out })),
    {
      message:
        'Cannot begin with the loss "test/broken": expected a finite number but received NaN at step 5; if a plugin has a part in it, testPlugin() tells which',
    },
  );
});

Deno.test("distill() gives a loss the constants that it prepared", async () => {
  const prepared = defineLoss({
    name: "test/prepared",
    summary: "distance to the brightness of the teacher's images",
    source: "test",
    options: z.object({}),
    async prepare({ teacherImages }) {
      const { data } = await teacherImages([1, 2]);
      const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
      return { mean: { shape: [], data: Float32Array.of(mean) } };
    },
    student: ({ scales, constants }) =>
      tf.square(tf.sub(tf.mean(scales.at(-1)!.studentImage), constants!["mean"]!)) as tf.Scalar,
  });
  const parts = createRegistry().use(definePlugin({ name: "test", losses: [prepared] }));
  const config = { ...tinyDistill, steps: 2, losses: [{ name: "test/prepared" }] };
  const context = { engine, registry: parts, teacher, out: join(folder, "prepared") };
  const events = await Array.fromAsync(distill(config, context));
  const steps = events.filter((event) => event.kind === "step");
  assert.ok(steps.every(({ losses }) => losses["test/prepared"]! > 0));
});

Deno.test("distill() gives a student of another teacher the mapping network of its own", async () => {
  const other = createTeacher({ ...teacher.config, mappingLayers: 3 }, { seed: 9 });
  const start = createStudent(other, {}, { registry });
  const path = join(folder, "start.safetensors");
  await saveGenerator(path, start);
  const config = { ...tinyDistill, steps: 1, losses: [{ name: "pixel" }] };
  const context = { engine, registry, teacher };
  const runs = [
    distill(config, { ...context, student: start, out: join(folder, "given") }),
    distill({ ...config, initialStudent: path }, { ...context, out: join(folder, "loaded") }),
  ];
  for (const run of runs) {
    const end = (await Array.fromAsync(run)).at(-1)!;
    assert.ok(end.kind === "end");
    const { weights, config: { mappingLayers } } = end.student;
    assert.equal(mappingLayers, 2);
    const mapping = (all: Weights) =>
      Object.fromEntries(Object.entries(all).filter(([name]) => name.startsWith("mapping.")));
    assert.deepEqual(mapping(weights), mapping(teacher.weights));
  }
});

Deno.test("distill() refuses a student of other sizes", async () => {
  const other = createTeacher({ ...teacher.config, styleDim: 4 });
  const student = createStudent(other, {}, { registry });
  const context = { engine, registry, teacher, student, out: join(folder, "sizes") };
  await assert.rejects(Array.fromAsync(distill(tinyDistill, context)), {
    name: "RangeError",
    message:
      'Cannot distil into this student: expected "styleDim" 8, as its teacher has, but received 4',
  });
});

/** The discriminator's weights in the newest checkpoint of a run. */
async function criticOf(out: string): Promise<Float32Array> {
  const { newest } = await readNewestCheckpoint(join(folder, out, "checkpoints"));
  return newest!.arrays["discriminator.weights"]!.data;
}

Deno.test("distill() lets Adam count the discriminator's own updates", async () => {
  const losses = [{ name: "pixel" }, { name: "adversarial", from: 0.03 }]; // from step 4 on
  const config = { ...tinyDistill, losses, steps: 5, accumulate: 2 };
  await collect("critic-before", { config: { ...config, steps: 4 } });
  await collect("critic-parts", { config });
  await collect("critic-whole", { config: { ...config, accumulate: 1 } });
  const before = await criticOf("critic-before");
  for (const run of ["critic-parts", "critic-whole"]) {
    const after = await criticOf(run);
    const largest = before.reduce((most, x, i) => Math.max(most, Math.abs(x - after[i]!)), 0);
    // Adam's first step is the learning rate, whatever the gradient; its default here is 5e-4.
    assert.ok(Math.abs(largest / 5e-4 - 1) < 0.01, `${largest}`);
  }
});

Deno.test("distill() keeps no discriminator that no loss asks for", async () => {
  const { discriminator: _, ...alone } = teacher;
  const losses = [{ name: "pixel" }, { name: "adversarial", weight: 0 }];
  const config = { ...tinyDistill, losses, steps: 2, batch: 6, accumulate: 2 };
  const context = { engine, registry, teacher: alone, out: join(folder, "no-critic") };
  await Array.fromAsync(distill(config, context));
  assert.equal((await criticOf("no-critic")).length, 0);
  const more = await Array.fromAsync(distill({ ...config, steps: 3 }, context));
  assert.equal(more[0]!.kind === "start" && more[0]!.step, 2);
});

Deno.test("distill() draws styles as truncated and as mixed as the configuration says", async () => {
  const loss = (name: string, student: (w: tf.Tensor) => tf.Tensor) =>
    defineLoss({
      name,
      summary: "looks at styles",
      source: "test",
      options: z.object({}),
      student: ({ w }) => student(w) as tf.Scalar,
    });
  const losses = [
    loss("test/spread", (w) => tf.mean(tf.square(tf.sub(w, tf.mean(w, 0, true))))),
    loss("test/mean", (w) => tf.mean(w)),
    loss("test/layers", (w) => tf.scalar(w.rank === 3 ? w.shape[1]! : 1)),
  ];
  const parts = createRegistry().use(definePlugin({ name: "test", losses }));
  const centre = { shape: [8], data: new Float32Array(8).fill(5) };
  const own = { ...teacher, weights: { ...teacher.weights, "mapping.w_mean": centre } };
  const stylesOf = async (fields: object, out: string) => {
    const terms = [{ name: "pixel" }, ...losses.map(({ name }) => ({ name }))];
    const config = { ...tinyDistill, losses: terms, steps: 1, ...fields };
    const context = { engine, registry: parts, teacher: own, out: join(folder, `styles-${out}`) };
    for await (const event of distill(config, context)) {
      if (event.kind === "step") return event.losses;
    }
    return {};
  };
  const whole = await stylesOf({}, "whole");
  const pulled = await stylesOf({ truncation: 0.25 }, "near");
  const near = (actual: number, expected: number) =>
    assert.ok(Math.abs(actual - expected) < 1e-4 * Math.max(1, expected), `${actual}`);
  near(pulled["test/spread"]!, whole["test/spread"]! / 16);
  near(pulled["test/mean"]!, (whole["test/mean"]! + 15) / 4);
  assert.ok(whole["test/spread"]! > 0.01);
  assert.equal(whole["test/layers"], 1);
  assert.equal((await stylesOf({ styleMixing: 1 }, "mixed"))["test/layers"], 6);
});

Deno.test("distill() trains weights alone, and gives their average if there is one", async () => {
  const parts = { demodulation: { name: "frozen" } };
  const start = createStudent(teacher, parts, { registry });
  for (const averageKimg of [0, 1]) {
    const config = { ...tinyDistill, losses: [{ name: "pixel" }], steps: 3, averageKimg };
    const out = join(folder, `weights-${averageKimg}`);
    const context = { engine, registry, teacher, student: start, out };
    const end = (await Array.fromAsync(distill(config, context))).at(-1)!;
    assert.ok(end.kind === "end");
    const kept = Object.keys(start.weights).filter((name) =>
      String(end.student.weights[name]!.data) === String(start.weights[name]!.data)
    );
    const expected = Object.keys(start.weights).filter((name) =>
      name.startsWith("mapping.") || name.endsWith(".frozen.coefficients")
    );
    assert.ok(expected.some((name) => name.endsWith(".coefficients")));
    assert.deepEqual(kept.sort(), expected.sort());
    const { newest } = await readNewestCheckpoint(join(out, "checkpoints"));
    const { "student.weights": last, "student.average": average } = newest!.arrays;
    const { data } = end.student.weights["synthesis.4.const"]!; // the first of the vector
    const firstOf = (vector: Weights[string]) => vector.data.slice(0, data.length);
    assert.deepEqual(data, firstOf(average ?? last!));
    assert.equal(average !== undefined, averageKimg > 0);
    if (average) assert.notDeepEqual(firstOf(average), firstOf(last!));
  }
});

Deno.test("distill() clips the gradient that Adam sees", async () => {
  const optimiser = { clipNorm: 1e-3 };
  const config = { ...tinyDistill, losses: [{ name: "pixel" }], steps: 1, optimiser };
  const events = await collect("clipped", { config });
  const step = events.find(({ kind }) => kind === "step")!;
  assert.ok(step.kind === "step" && step.losses["gradientNorm"]! > 0.01);
  const { newest } = await readNewestCheckpoint(join(folder, "clipped", "checkpoints"));
  const norm = Math.hypot(...newest!.arrays["student.mean"]!.data);
  assert.ok(Math.abs(norm / (0.1 * 1e-3) - 1) < 1e-3, `${norm}`); // 1 - beta1 of it
});

Deno.test("distill() makes the teacher's images smaller as the configuration says", async () => {
  const area = defineLoss({
    name: "test/area",
    summary: "how far the coarsest target is from the mean of 2x2 pixels of the next",
    source: "test",
    options: z.object({}),
    student: ({ scales: [coarse, next] }) => {
      const low = tf.slice(next!.teacherBands, [0, 0, 0, 0], [-1, -1, -1, 3]);
      return tf.mean(tf.abs(tf.sub(coarse!.teacherImage, tf.mul(low, 0.5))));
    },
  });
  const parts = createRegistry().use(definePlugin({ name: "test", losses: [area] }));
  const losses = [{ name: "pixel" }, { name: "test/area" }];
  const distances = new Map<string, number>();
  for (const pyramid of ["area", "bilinear"] as const) {
    const config = { ...tinyDistill, losses, steps: 1, pyramid };
    const context = { engine, registry: parts, teacher, out: join(folder, `pyramid-${pyramid}`) };
    for await (const event of distill(config, context)) {
      if (event.kind === "step") distances.set(pyramid, event.losses["test/area"]!);
    }
  }
  assert.ok(distances.get("area")! < 1e-6 && distances.get("bilinear")! > 1e-3);
});

Deno.test("distill() without a teacher says how to give one", async () => {
  await assert.rejects(
    Array.fromAsync(distill(tinyDistill, { engine, registry, out: join(folder, "none") })),
    {
      name: "RangeError",
      message:
        'Cannot distil "tiny": expected a teacher but received none; give --teacher FILE, or "teacher" in the configuration',
    },
  );
});
