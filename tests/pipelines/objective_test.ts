import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import type { LossStep } from "../../core/contracts.ts";
import { defineLoss } from "../../core/define.ts";
import { createEngine } from "../../engine/mod.ts";
import { distill } from "../../pipelines/distill.ts";
import { parseConfig } from "../../pipelines/distill_config.ts";
import { dueTerms, objective, resolveTerms } from "../../pipelines/objective.ts";
import { parseTeacherConfig } from "../../pipelines/train_teacher_config.ts";
import { createRegistry } from "../../registry.ts";
import { tinyDistill, tinyTeacher, tinyTraining } from "./tiny.ts";

const registry = createRegistry();

Deno.test("resolveTerms() numbers the terms of a loss that is there more than once", () => {
  const choices = ["pixel", "wavelet", "pixel", "pixel"].map((name) => ({ name }));
  const names = resolveTerms(choices, registry).map(({ name }) => name);
  assert.deepEqual(names, ["pixel", "wavelet", "pixel#2", "pixel#3"]);
});

Deno.test("objective() weighs terms, lazy ones as often as they are left out, and reports them bare", () => {
  const constant = (name: string, value: number) =>
    defineLoss({
      name,
      summary: "constant",
      source: "test",
      options: z.object({}),
      student: () => tf.scalar(value),
    });
  const losses = [constant("acme/three", 3), constant("acme/five", 5)];
  const parts = createRegistry().use({ name: "acme", losses });
  const terms = resolveTerms(
    [{ name: "acme/three", weight: 0.5 }, { name: "acme/five", weight: 10, every: 4 }],
    parts,
  );
  const { total, values } = objective(terms, "student", {} as LossStep);
  assert.equal(total.dataSync()[0], 0.5 * 3 + 10 * 4 * 5);
  const bare = Object.entries(values).map(([name, value]) => [name, value.dataSync()[0]]);
  assert.deepEqual(bare, [["acme/three", 3], ["acme/five", 5]]);
});

Deno.test("dueTerms() leaves out what has not started, is not due, or weighs nothing", () => {
  const terms = resolveTerms([
    { name: "pixel" },
    { name: "wavelet", every: 3 },
    { name: "perceptual", from: 0.5 },
    { name: "adversarial", weight: 0 },
    { name: "r1", every: 1 },
  ], registry);
  const names = (side: "student" | "discriminator", step: number, kimg: number) =>
    dueTerms(terms, side, { step, kimg }).map(({ name }) => name);
  assert.deepEqual(names("student", 3, 0.499), ["pixel", "wavelet"]);
  assert.deepEqual(names("student", 4, 0.5), ["pixel", "perceptual"]);
  assert.deepEqual(names("discriminator", 4, 0.5), ["r1"]);
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
