import assert from "node:assert/strict";
import { join } from "node:path";
import { createEngine } from "../../engine/mod.ts";
import { distill } from "../../pipelines/distill.ts";
import { parseConfig } from "../../pipelines/distill_config.ts";
import { resolveTerms } from "../../pipelines/objective.ts";
import { parseTeacherConfig } from "../../pipelines/train_teacher_config.ts";
import { createRegistry } from "../../registry.ts";
import { tinyDistill, tinyTeacher, tinyTraining } from "./tiny.ts";

const registry = createRegistry();

Deno.test("resolveTerms() numbers the terms of a loss that is there more than once", () => {
  const choices = ["pixel", "wavelet", "pixel", "pixel"].map((name) => ({ name }));
  const names = resolveTerms(choices, registry).map(({ name }) => name);
  assert.deepEqual(names, ["pixel", "wavelet", "pixel#2", "pixel#3"]);
});

Deno.test("distill() keeps two lazy terms of one loss apart", async () => {
  const out = await Deno.makeTempDir({ prefix: "haarlem-objective-" });
  const engine = await createEngine({ threads: 1 });
  const losses = [
    { name: "pixel" },
    { name: "wavelet", every: 2 },
    { name: "wavelet", every: 3, options: { l1: 0, l2: 0 } },
  ];
  const config = { ...tinyDistill, losses, steps: 4 };
  const context = { engine, registry, teacher: tinyTeacher(), out: join(out, "run") };
  const values: Readonly<Record<string, number>>[] = [];
  for await (const event of distill(config, context)) {
    if (event.kind === "step") values.push(event.losses);
  }
  await engine.dispose();
  await Deno.remove(out, { recursive: true });
  assert.ok(values[2]!["wavelet"]! > 0);
  assert.equal(values[3]!["wavelet#2"], 0);
  assert.ok(!("wavelet" in values[3]!));
});

const idle = (whose: string, step: number) => ({
  name: "RangeError",
  message:
    `Cannot read the configuration: expected a loss of the ${whose} at every step but received none at step ${step}; give it one of a weight above 0 with "from" 0 and "every" 1`,
});

Deno.test("parseConfig() refuses losses that leave a step without any", () => {
  const parse = (loss: object) =>
    parseConfig({ steps: 10, losses: [{ name: "pixel", ...loss }, { name: "r1" }] }, registry);
  assert.throws(() => parse({ weight: 0 }), idle("student", 0));
  assert.throws(() => parse({ from: 1 }), idle("student", 0));
  assert.throws(() => parse({ every: 2 }), idle("student", 1));
  parse({});
});

Deno.test("parseTeacherConfig() refuses losses that leave a step without any", () => {
  const losses = [{ name: "path_length", every: 1 }, { name: "r1", every: 4 }];
  assert.throws(
    () => parseTeacherConfig({ ...tinyTraining, losses }, registry),
    idle("discriminator", 1),
  );
});
