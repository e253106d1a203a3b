import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import type { ImageStream } from "../../core/image_stream.ts";
import { defineMetric, definePlugin, defineUpscale } from "../../core/define.ts";
import { createEngine } from "../../engine/mod.ts";
import { countsOf } from "../../pipelines/ablate/measures.ts";
import { evaluate, type EvaluateContext, type EvaluationEvent } from "../../pipelines/evaluate.ts";
import { type EvaluateInput, parseEvaluateConfig } from "../../pipelines/evaluate_config.ts";
import * as tf from "@tensorflow/tfjs";
import { createStudent } from "../../networks/generator.ts";
import { createRegistry } from "../../registry.ts";
import { tinyImages, tinyStudent, tinyTeacher } from "./evaluate/tiny_subjects.ts";

const engine = await createEngine({ threads: 1 });
const folder = await Deno.makeTempDir({ prefix: "haarlem-evaluate-" });
const registry = createRegistry();
const teacher = tinyTeacher();
const student = tinyStudent(teacher);
const small = { samples: 24, pairs: 10, paths: 6, timedRuns: 3, batch: 8 } as const;

Deno.test.afterAll(async () => {
  await engine.dispose();
  await Deno.remove(folder, { recursive: true });
});

let runs = 0;

/** All events of an evaluation; what is not given is the smallest, with a folder of its own. */
async function collect(
  config: EvaluateInput,
  context: Partial<EvaluateContext> = {},
): Promise<EvaluationEvent[]> {
  const events: EvaluationEvent[] = [];
  const out = join(folder, `run-${runs++}`);
  const all = { engine, registry, out, cacheDir: null, ...context };
  for await (const event of evaluate({ ...small, ...config }, all)) events.push(event);
  return events;
}

const measurementsOf = (events: readonly EvaluationEvent[]) =>
  events.flatMap((event) => event.kind === "measurement" ? [event.measurement] : []);

const both = { student, teacher, real: tinyImages(100) };

Deno.test("evaluate() names the parts that do not say their multiply-adds", async () => {
  const up = defineUpscale({
    name: "acme/up",
    summary: "test",
    source: "test",
    options: z.object({}),
    outChannels: (channels) => channels,
    init: () => ({}),
    apply: (_, { x }) => tf.image.resizeNearestNeighbor(x, [2 * x.shape[1], 2 * x.shape[2]]),
  });
  const parts = createRegistry().use(definePlugin({ name: "acme", upscales: [up] }));
  const silent = createStudent(teacher, { upscale: { name: "acme/up" } }, { registry: parts });
  const end = (await collect({ metrics: [{ name: "cost" }], timedRuns: 1 }, { student: silent }))
    .at(-1)!;
  assert.ok(end.kind === "end");
  assert.deepEqual(end.evaluation.notes, [
    "multiply-adds without those of acme/up: a part counts as none if it has no multiplyAdds()",
  ]);
  assert.deepEqual(countsOf(silent.config, parts).uncounted, ["acme/up"]);
});

Deno.test("evaluate() measures a student, its teacher and real images", async (t) => {
  const out = join(folder, "whole");
  const events = await collect({}, { ...both, out });
  const measurements = measurementsOf(events);
  const end = events.at(-1)!;
  assert.ok(end.kind === "end");

  await t.step("counts its work to the end", () => {
    const [start] = events;
    assert.ok(start?.kind === "start" && start.run === out);
    const steps = events.filter((event) => event.kind === "step");
    assert.equal(steps.at(-1)?.step, start.steps);
    steps.slice(1).forEach(({ step }, i) => assert.ok(step > steps[i]!.step));
  });

  await t.step("compares every pair of sets, and floors", () => {
    const sets = measurements.filter(({ metric }) =>
      ["fid", "kid", "swd", "precision_recall"].includes(metric)
    );
    const rows = (metric: string) =>
      sets.filter((one) => one.metric === metric).map(({ subject, reference, floor }) =>
        `${subject} to ${reference}${floor ? " (floor)" : ""}`
      );
    for (const metric of ["fid", "kid", "swd", "precision_recall"]) {
      assert.deepEqual(rows(metric), [
        "student to teacher, other latents",
        "teacher to teacher, other latents (floor)",
        "student to real images",
        "teacher to real images",
        "other real images to real images (floor)",
      ]);
    }
  });

  await t.step("names features, and marks those that training used", () => {
    const label = end.evaluation.features[0]!.label;
    assert.match(label, /^discriminator [0-9a-f]{8}$/);
    for (const { metric, subject, features, mark } of measurements) {
      const byFeatures = ["fid", "kid", "precision_recall", "ppl", "distance"].includes(metric);
      assert.equal(features, byFeatures ? label : undefined, metric);
      const isOfNetwork = ["student", "teacher"].includes(subject);
      assert.equal(mark, byFeatures && isOfNetwork ? "used in training" : undefined);
    }
  });

  await t.step("measures networks, exits and detail", () => {
    const subjects = (metric: string) =>
      measurements.filter((one) => one.metric === metric).map(({ subject }) => subject);
    assert.deepEqual(subjects("cost"), ["student", "student in training", "teacher"]);
    assert.deepEqual(subjects("time"), ["student", "teacher", "head of 8 px"]);
    assert.deepEqual(subjects("ppl"), ["student", "teacher"]);
    assert.deepEqual(subjects("distance"), ["student", "teacher's mean image"]);
    assert.deepEqual(subjects("early_exit"), ["head of 8 px", "head of 16 px"]);
    assert.deepEqual(subjects("detail"), ["student"]);
    for (const { metric, values } of measurements) {
      for (const [name, value] of Object.entries(values)) {
        assert.ok(Number.isFinite(value), `${metric} ${name}: ${value}`);
      }
    }
  });

  await t.step("the last exit is the student", () => {
    const exit = measurements.find(({ subject }) => subject === "head of 16 px")!;
    const whole = measurements.find(({ metric }) => metric === "distance")!;
    const cost = measurements.find(({ metric }) => metric === "cost")!;
    assert.ok(Math.abs(exit.values["psnr"]! - whole.values["psnr"]!) < 1e-4);
    assert.ok(Math.abs(exit.values["whole_ssim"]! - whole.values["ssim"]!) < 1e-4);
    assert.equal(exit.values["parameters"], cost.values["parameters"]);
    assert.equal(exit.values["multiply_adds"], cost.values["multiply_adds"]);
  });

  await t.step("writes what it found", async () => {
    const record = JSON.parse(await Deno.readTextFile(join(out, "evaluation.json")));
    assert.deepEqual(record, JSON.parse(JSON.stringify(end.evaluation)));
    const markdown = await Deno.readTextFile(end.markdown);
    for (const [, path] of markdown.matchAll(/!\[.*?\]\((.+?)\)/g)) {
      assert.ok((await Deno.stat(join(out, path!))).size > 100, path);
    }
    const html = await Deno.readTextFile(end.path);
    assert.equal((html.match(/<img src="data:image\/png;base64,/g) ?? []).length, 6);
    assert.doesNotMatch(html, /(?:src|href)="(?!data:)/);
    for (const text of ["Early exits", "StyleGAN2", "training itself looked through"]) {
      assert.ok(html.includes(text), text);
    }
  });
});

Deno.test("evaluate() finds the same with a cache, and for any batch", async () => {
  const cacheDir = join(folder, "cache");
  const config = {
    metrics: [{ name: "fid" }, { name: "kid" }, { name: "precision_recall" }, { name: "ppl" }],
  };
  const first = measurementsOf(await collect(config, { ...both, cacheDir }));
  const files = [...Deno.readDirSync(join(cacheDir, "evaluation"))].map(({ name }) => name);
  assert.equal(files.length, 5); // sets
  const again = measurementsOf(await collect(config, { ...both, cacheDir }));
  assert.deepEqual(again, first);
  const other = measurementsOf(await collect({ ...config, batch: 5 }, both));
  other.forEach(({ metric, subject, values }, i) => {
    for (const [name, value] of Object.entries(values)) {
      const expected = first[i]!.values[name]!;
      const what = `${metric} of ${subject}, ${name}: ${value} instead of ${expected}`;
      assert.ok(Math.abs(value - expected) <= 5e-3 * Math.abs(expected) + 1e-5, what);
    }
  });
});

Deno.test("evaluate() measures a teacher alone, and says what it leaves out", async () => {
  const { discriminator: _, ...plain } = teacher;
  const events = await collect({}, { teacher: plain });
  const [start] = events;
  assert.ok(start?.kind === "start");
  assert.deepEqual(start.notes.slice(1), [
    "fid is not measured: it needs another set of images; give --teacher FILE or --real avatars",
    "kid is not measured: it needs another set of images; give --teacher FILE or --real avatars",
    "swd is not measured: it needs another set of images; give --teacher FILE or --real avatars",
    "precision_recall is not measured: it needs another set of images; give --teacher FILE or --real avatars",
    "distance is not measured: it needs a student and its teacher; give --weights FILE and --teacher FILE",
  ]);
  const found = measurementsOf(events);
  assert.deepEqual(found.map(({ metric }) => metric), ["cost", "time", "ppl"]);
  assert.equal("ppl" in found[2]!.values, false);
});

Deno.test("evaluate() says that a student is another teacher's", async () => {
  const config = { metrics: [{ name: "cost" }], timedRuns: 1 };
  const [own] = await collect(config, { student, teacher });
  const [other] = await collect(config, { student, teacher: tinyTeacher(9) });
  assert.ok(own?.kind === "start" && other?.kind === "start");
  assert.equal(own.notes.length, 1);
  assert.match(other.notes[1]!, /^the student's mapping network is not this teacher's/);
});

const refusals: readonly [string, EvaluateInput, Partial<EvaluateContext>, string][] = [
  [
    "a metric without a second set",
    { metrics: [{ name: "swd" }] },
    { teacher },
    "Cannot compute swd: expected another set of images but received none; give --teacher FILE or --real avatars",
  ],
  [
    "distance without a teacher",
    { metrics: [{ name: "distance" }] },
    { student },
    "Cannot compute distance: expected a student and its teacher but received none; give --weights FILE and --teacher FILE",
  ],
  [
    "fid without features",
    { metrics: [{ name: "fid" }] },
    { student, real: tinyImages(100) },
    "Cannot compute fid: expected a feature network but received none; give --features vgg16=FILE, --features inception=FILE or --features FILE.onnx, or a teacher with its discriminator",
  ],
  [
    "nobody",
    {},
    {},
    "Cannot evaluate: expected a student or a teacher but received none; give --weights FILE or --teacher FILE",
  ],
  [
    "real images of another size",
    {},
    { teacher, real: { ...tinyImages(9), sizePx: 32 } },
    'Cannot evaluate against "noise, 16 px": expected images of 16 px but received 32 px',
  ],
];
for (const [what, config, context, message] of refusals) {
  Deno.test(`evaluate() refuses ${what}`, async () => {
    await assert.rejects(collect(config, context), { name: "RangeError", message });
  });
}

Deno.test("evaluate() leaves a folder alone that is no report", async () => {
  const out = join(folder, "work");
  await Deno.mkdir(out);
  await Deno.writeTextFile(join(out, "thesis.tex"), "");
  await assert.rejects(collect({}, { teacher, out }), {
    message: `Cannot write a report into ${
      JSON.stringify(out)
    }: expected an empty folder or an earlier report but received one with "thesis.tex"; use another --out`,
  });
});

Deno.test("evaluate() gives a plugin's metric both streams of images", async () => {
  const counting = defineMetric({
    name: "acme/count",
    summary: "images of both sets",
    source: "textbook",
    options: z.object({}),
    async compute(
      { images, reference }: { readonly images: ImageStream; readonly reference: ImageStream },
    ) {
      const counts = [0, 0];
      for await (const { shape } of images) counts[0]! += shape[0]!;
      for await (const { shape } of reference) counts[1]! += shape[0]!;
      return { images: counts[0]!, reference: counts[1]! };
    },
  });
  const own = createRegistry().use(definePlugin({ name: "acme", metrics: [counting] }));
  const events = await collect({ metrics: [{ name: "acme/count" }] }, {
    teacher,
    real: tinyImages(20),
    registry: own,
  });
  assert.deepEqual(measurementsOf(events), [{
    metric: "acme/count",
    subject: "teacher",
    reference: "real images",
    values: { images: 24, reference: 20 },
  }]);
});

Deno.test("evaluate() ends where its reader stops, or the signal says so", async () => {
  const out = join(folder, "stopped");
  const context = { engine, registry, teacher, out, cacheDir: null };
  for await (const event of evaluate({ ...small, samples: 1e6 }, context)) {
    if (event.kind === "step" && event.stage.startsWith("paths")) break;
  }
  const abort = new AbortController();
  const run = async () => {
    const all = { ...context, real: tinyImages(Infinity), signal: abort.signal };
    for await (const event of evaluate({ ...small, samples: 1e6 }, all)) {
      if (event.kind === "step" && event.stage.startsWith("images")) {
        abort.abort(new DOMException("Interrupted", "AbortError"));
      }
    }
  };
  await assert.rejects(run, { name: "AbortError", message: "Interrupted" });
});

Deno.test("parseEvaluateConfig() lists every field that is wrong", () => {
  assert.throws(() => parseEvaluateConfig({ samples: 1, pears: 3 }, registry), {
    name: "RangeError",
    message:
      'Cannot read the configuration: "samples": Too small: expected number to be >=2; Unrecognized key: "pears"',
  });
  assert.throws(() => parseEvaluateConfig({ metrics: [{ name: "fit" }] }, registry), {
    name: "RangeError",
    message:
      'Cannot find metric "fit": known names are "fid", "kid", "swd", "precision_recall", "ppl", "distance", "cost"; did you mean "fid"?',
  });
  assert.throws(
    () => parseEvaluateConfig({ metrics: [{ name: "fid" }, { name: "fid" }] }, registry),
    {
      name: "RangeError",
      message: 'Cannot read the configuration: expected every metric once but received "fid" twice',
    },
  );
});
