import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import { defineLoss, definePlugin } from "../../core/define.ts";
import { createEngine } from "../../engine/mod.ts";
import { ablate, type AblateContext } from "../../pipelines/ablate.ts";
import { mergeSources } from "../../pipelines/ablate/jobs.ts";
import { spreadOf, summarise, tableOf } from "../../pipelines/ablate/table.ts";
import { chooseVariants, type Variant } from "../../pipelines/ablate/variants.ts";
import { type AblateInput, parseAblateConfig, shortened } from "../../pipelines/ablate_config.ts";
import type { AblationEvent } from "../../pipelines/ablate_events.ts";
import { parseConfig } from "../../pipelines/distill_config.ts";
import { presets } from "../../pipelines/presets.ts";
import { createRegistry } from "../../registry.ts";
import { tinyDistill, tinyTeacher } from "./tiny.ts";

const engine = await createEngine({ threads: 1 });
const folder = await Deno.makeTempDir({ prefix: "haarlem-ablate-" });
const teacher = tinyTeacher();

const broken = defineLoss({
  name: "test/broken",
  summary: "log of a negative number",
  source: "test",
  options: z.object({}),
  student: ({ scales }) => tf.mean(tf.log(tf.neg(tf.abs(scales[0]!.studentImage)))),
});
const registry = createRegistry().use(definePlugin({ name: "test", losses: [broken] }));

Deno.test.afterAll(async () => {
  await engine.dispose();
  await Deno.remove(folder, { recursive: true });
});

const input: AblateInput = {
  name: "tiny",
  base: { ...tinyDistill, losses: [{ name: "pixel" }, { name: "wavelet" }] },
  variants: ["domain-pixel", "no-wavelet"],
  seeds: [0, 1],
  steps: 4,
  images: 8,
  timingRuns: 2,
};

async function collect(
  out: string,
  { more = {}, context = {} }: {
    readonly more?: Partial<AblateInput>;
    readonly context?: Partial<AblateContext>;
  } = {},
): Promise<AblationEvent[]> {
  const all = { engine, registry, teacher, out: join(folder, out), ...context };
  return await Array.fromAsync(ablate({ ...input, ...more }, all));
}

const statesOf = (events: readonly AblationEvent[]) =>
  events.flatMap((event) => event.kind === "ablationRun" ? [`${event.state} ${event.id}`] : []);

Deno.test("ablate() distils every variant with every seed, and writes table and plots", async () => {
  const events = await collect("whole");
  assert.deepEqual(statesOf(events).filter((state) => state.startsWith("finished")), [
    "finished base-seed-0",
    "finished domain-pixel-seed-0",
    "finished no-wavelet-seed-0",
    "finished base-seed-1",
    "finished domain-pixel-seed-1",
    "finished no-wavelet-seed-1",
  ]);
  const end = events.at(-1)!;
  assert.ok(end.kind === "ablationEnd" && end.finished);
  const [base, pixel] = end.summaries;
  assert.equal(base!.psnrDb.values.length, 2);
  assert.ok(base!.psnrDb.deviation > 0);
  assert.deepEqual(base!.psnrGainDb.values, [0, 0]);
  assert.ok(pixel!.multiplyAdds > base!.multiplyAdds && pixel!.parameters > base!.parameters);
  assert.ok(base!.ms! > 0 && base!.fusedMs! > 0);
  const out = join(folder, "whole");
  const rows = (await Deno.readTextFile(join(out, "table.jsonl"))).trim().split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(rows.map(({ variant, seed }) => `${variant} ${seed}`), [
    "base 0",
    "domain-pixel 0",
    "no-wavelet 0",
    "base 1",
    "domain-pixel 1",
    "no-wavelet 1",
  ]);
  assert.deepEqual(Object.keys(rows[1]), [
    ...["variant", "field", "value", "seed", "psnrDb", "ssim", "swd", "swdFinest", "parameters"],
    ...["inferenceParameters", "multiplyAdds", "ms", "fusedMs"],
  ]);
  const markdown = await Deno.readTextFile(join(out, "table.md"));
  assert.match(markdown, /\| domain-pixel \| +2 \| \d+\.\d\d ± \d\.\d\d \| [+-]\d\.\d\d ± /);
  assert.match(markdown, /- \*\*domain-pixel\*\*: do smaller feature maps lose quality/);
  const config = JSON.parse(await Deno.readTextFile(join(out, "configs/domain-pixel-seed-1.json")));
  assert.deepEqual(parseConfig(config, registry).student.domain, "pixel");
  for (const name of ["quality.svg", "quality.png", "cost.svg", "cost.png"]) {
    assert.ok((await Deno.stat(join(out, name))).size > 1000, name);
  }
});

Deno.test("ablate() does not repeat what is done, and measures the same", async () => {
  const before = await Deno.readTextFile(join(folder, "whole", "table.jsonl"));
  const never = () => {
    throw new Error("ran again");
  };
  const events = await collect("whole", { context: { runJob: never } });
  assert.ok(events[0]!.kind === "ablationStart" && events[0]!.done === 6);
  assert.deepEqual(statesOf(events), []);
  const withoutTimes = (text: string) => text.replaceAll(/"(ms|fusedMs)":[\d.]+/g, "");
  const after = await Deno.readTextFile(join(folder, "whole", "table.jsonl"));
  assert.equal(withoutTimes(after), withoutTimes(before));
});

Deno.test("ablate() goes on when a run fails, and tries it again the next time", async () => {
  const bad: Variant = { name: "bad", field: "losses", value: [{ name: "test/broken" }] };
  const more = { variants: [bad, "no-wavelet"], seeds: [0] };
  const events = await collect("failing", { more });
  assert.deepEqual(statesOf(events).filter((state) => !state.startsWith("started")), [
    "finished base-seed-0",
    "failed bad-seed-0",
    "finished no-wavelet-seed-0",
  ]);
  const end = events.at(-1)!;
  assert.ok(end.kind === "ablationEnd" && end.finished);
  const failed = end.rows.find(({ variant }) => variant === "bad")!;
  assert.match(failed.error!, /^Cannot begin with the loss "test\/broken": /);
  assert.equal(failed.psnrDb, undefined);
  const markdown = await Deno.readTextFile(join(folder, "failing", "table.md"));
  assert.match(markdown, /## Failed\n\n- \*\*bad\*\*, seed 0: Cannot begin with/);
  assert.deepEqual(statesOf(await collect("failing", { more })), [
    "started bad-seed-0",
    "failed bad-seed-0",
  ]);
});

Deno.test("ablate() stopped by a signal keeps checkpoints and goes on with the same result", async () => {
  const more = { variants: [], seeds: [0, 1], steps: 6 };
  const whole = await collect("unstopped", { more });
  const abort = new AbortController();
  const context = { engine, registry, teacher, out: join(folder, "stopped"), signal: abort.signal };
  const first: AblationEvent[] = [];
  for await (const event of ablate({ ...input, ...more }, context)) {
    first.push(event);
    if (event.kind === "ablationStep") abort.abort();
  }
  assert.deepEqual(statesOf(first), ["started base-seed-0", "stopped base-seed-0"]);
  const stopped = first.at(-1)!;
  assert.ok(stopped.kind === "ablationEnd" && !stopped.finished);
  const second = await collect("stopped", { more });
  const valuesOf = (events: readonly AblationEvent[]) => {
    const end = events.at(-1)!;
    return end.kind === "ablationEnd" && end.summaries[0]!.psnrDb.values;
  };
  assert.deepEqual(valuesOf(second), valuesOf(whole));
});

Deno.test("ablate() refuses several jobs in one process, and a base without a teacher", async () => {
  await assert.rejects(collect("none", { context: { jobs: 2 } }), {
    name: "RangeError",
    message: 'Cannot run the ablation: expected "jobs" to be 1 without a runJob but received 2',
  });
  await assert.rejects(collect("none", { context: { teacher: undefined } }), {
    name: "RangeError",
    message:
      'Cannot run the ablation "tiny": expected a teacher but received none; give --teacher FILE, or "teacher" in the base',
  });
});

Deno.test("ablate() refuses a variant that is no student of the teacher before the first run", async () => {
  const odd: Variant = { name: "odd", field: "student.channels", value: [8, 8, 8] };
  await assert.rejects(collect("none", { more: { variants: [odd] } }), {
    name: "RangeError",
    message:
      'Cannot run the variant "odd": expected "channels" to be 2 positive integers, one for each of 4, 8 px, but received [8,8,8]',
  });
});

Deno.test("mergeSources() reads so many at a time, and survives one that fails", async () => {
  let open = 0, most = 0;
  async function* source(name: string) {
    most = Math.max(most, ++open);
    try {
      for (let i = 0; i < 3; i++) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        if (name === "b" && i === 1) throw new Error("b fails");
        yield `${name}${i}`;
      }
    } finally {
      open--;
    }
  }
  const arrived = await Array.fromAsync(
    mergeSources(["a", "b", "c", "d"], source, { limit: 2, mayStart: () => true }),
  );
  assert.equal(most, 2);
  const of = (name: string) =>
    arrived.filter(({ key }) => key === name).map((x) => x.kind === "value" ? x.value : x.kind);
  assert.deepEqual(of("a"), ["start", "a0", "a1", "a2", "done"]);
  assert.deepEqual(of("b"), ["start", "b0", "failed"]);
  assert.deepEqual(of("d"), ["start", "d0", "d1", "d2", "done"]);
});

Deno.test("mergeSources() closes its sources when its reader leaves", async () => {
  const closed: string[] = [];
  async function* source(name: string) {
    try {
      for (;;) yield await Promise.resolve(name);
    } finally {
      closed.push(name);
    }
  }
  for await (
    const { kind } of mergeSources(["a", "b"], source, { limit: 2, mayStart: () => true })
  ) if (kind === "value") break;
  assert.deepEqual(closed.sort(), ["a", "b"]);
});

const base = parseConfig(presets["avatars-64"], createRegistry());

Deno.test("chooseVariants() makes every variant differ in one field", () => {
  const variants = chooseVariants(["all"], base, createRegistry());
  assert.deepEqual(variants.map(({ name, field }) => `${name} ${field}`), [
    "base ",
    "head-skip student.head",
    "no-auxiliary student.auxiliary",
    "demodulation-styled student.demodulation",
    "demodulation-frozen student.demodulation",
    "upscale-conv_transpose student.upscale",
    "upscale-bilinear student.upscale",
    "conv-modulated student.conv",
    "domain-pixel student.domain",
    "no-wavelet losses",
    "no-perceptual losses",
    "no-adversarial losses",
    "adversarial-bce losses",
  ]);
  assert.ok(variants.every(({ question }) => question !== undefined));
  const valueOf = (name: string) => variants.find((variant) => variant.name === name)!.value;
  assert.deepEqual(valueOf("head-skip"), { name: "skip", options: { gain: 0.02 } });
  const [pixel, perceptual] = valueOf("no-wavelet") as typeof base.losses;
  assert.deepEqual([pixel!.name, pixel!.weight, perceptual!.name], ["pixel", 2, "perceptual"]);
  const names = (valueOf("no-adversarial") as typeof base.losses).map(({ name }) => name);
  assert.deepEqual(names, ["pixel", "wavelet", "perceptual"]);
});

Deno.test("chooseVariants() takes groups, names, and parts of plugins", async () => {
  const { default: cdf53 } = await import("../../plugins/cdf53/mod.ts");
  const parts = createRegistry().use(cdf53);
  const names = chooseVariants(["upscale", "head-skip"], base, parts).map(({ name }) => name);
  assert.deepEqual(names, [
    "base",
    "upscale-conv_transpose",
    "upscale-bilinear",
    "upscale-cdf53/inverse",
    "head-skip",
  ]);
});

Deno.test("chooseVariants() leaves out of all what is no student", () => {
  const registry = createRegistry();
  const namesOf = (student: object) =>
    chooseVariants(["all"], parseConfig({ ...base, student }, registry), registry)
      .map(({ name }) => name).filter((name) => /^(head|domain)-/.test(name));
  assert.deepEqual(namesOf({ domain: "pixel" }), ["domain-wavelet"]);
  assert.deepEqual(namesOf({ head: { name: "skip" } }), ["head-single"]);
  assert.deepEqual(namesOf({ channels: [8, 8] }), ["head-skip"]);
});

Deno.test("chooseVariants() says which variants there are", () => {
  assert.throws(() => chooseVariants(["upscal"], base, createRegistry()), {
    name: "RangeError",
    message:
      'Cannot find the variant "upscal": known for this base are "all", "heads", "demodulation", "upscale", "conv", "domain", "losses", "head-skip", "no-auxiliary", "demodulation-styled", "demodulation-frozen", "upscale-conv_transpose", "upscale-bilinear", "conv-modulated", "domain-pixel", "no-wavelet", "no-perceptual", "no-adversarial", "adversarial-bce"; did you mean "upscale"?',
  });
  const twice = ["a", "b"].map((value) => ({ name: "x", field: "name", value }));
  assert.throws(() => chooseVariants(twice, base, createRegistry()), {
    message:
      'Cannot plan the ablation: expected every variant to have a name of its own but received two of "x"',
  });
});

Deno.test("shortened() keeps at which part of the run everything happens", () => {
  const losses = base.losses.map((loss) => loss.from ? { ...loss, from: 400 } : loss);
  const short = shortened({ ...base, steps: 40_000, averageKimg: 4, losses }, 2000);
  assert.equal(short.steps, 2000);
  assert.equal(short.losses.find(({ name }) => name === "perceptual")!.from, 20); // of 32 kimg
  assert.equal(short.optimiser.warmupSteps, 10);
  assert.equal(short.averageKimg, 0.2);
  assert.deepEqual([short.sampleSteps, short.checkpointSteps], [500, 200]);
  const { base: parsed } = parseAblateConfig(
    { base: presets["avatars-64"], steps: 2000 },
    registry,
  );
  assert.deepEqual(parsed, shortened(base, 2000));
});

Deno.test("parseAblateConfig() refuses a variant that is no distillation", () => {
  const variants = [{ name: "odd", field: "batch", value: "many" }];
  assert.throws(() => parseAblateConfig({ ...input, variants }, registry), {
    name: "RangeError",
    message: /^Cannot read the configuration: "batch": /,
  });
});

Deno.test("summarise() pairs runs with the base's of the same seed", () => {
  const counts = { parameters: 1, inferenceParameters: 1, multiplyAdds: 1 };
  const quality = (psnrDb: number) => ({ psnrDb, ssim: 0.5, swd: 10, swdFinest: 20 });
  const row = (variant: string, seed: number, psnrDb: number) => ({
    variant,
    field: "",
    value: undefined,
    seed,
    ...quality(psnrDb),
    ...counts,
  });
  const rows = [row("base", 0, 20), row("base", 1, 30), row("x", 0, 21), row("x", 1, 32)];
  const [, x] = summarise(rows);
  assert.deepEqual(x!.psnrGainDb, { mean: 1.5, deviation: Math.SQRT1_2, values: [1, 2] });
  assert.equal(tableOf(summarise(rows))[1]!["to the base"], "+1.50 ± 0.71");
  assert.equal(tableOf(summarise(rows.slice(0, 1)))[0]!["PSNR, dB"], "20.00");
  assert.ok(Number.isNaN(spreadOf([1]).deviation));
});
