/** Lanes begin with the teacher of the next step: in which order, and that it changes nothing. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { HostArray } from "../../core/contracts.ts";
import { createEngine, type Engine, type EngineArray } from "../../engine/mod.ts";
import { distill } from "../../pipelines/distill.ts";
import type { DistillInput } from "../../pipelines/distill_config.ts";
import { type Begun, teacherAhead } from "../../pipelines/teacher_ahead.ts";
import { createRegistry } from "../../registry.ts";
import { tinyDistill, tinyTeacher } from "./tiny.ts";

const engine = await createEngine({ threads: 1 });
const folder = await Deno.makeTempDir({ prefix: "haarlem-ahead-" });
const registry = createRegistry();

Deno.test.afterAll(async () => {
  await engine.dispose();
  await Deno.remove(folder, { recursive: true });
});

/** Terms that start at steps 0, 3 and 4; each of them alone is a step of another kind. */
const config = {
  ...tinyDistill,
  steps: 7,
  losses: [
    { name: "pixel" },
    { name: "wavelet", from: 0.024 },
    { name: "adversarial", weight: 0.5, from: 0.032 },
  ],
} as const satisfies DistillInput;

/**
 * An engine that is told to have two lanes, and what it was asked to run, by first letters. It runs one
 * graph at a time: else the order would depend on which lane is faster.
 *
 * @param failing Which run of the teacher fails, if any.
 */
function withLanes(failing?: number) {
  const runs: string[] = [];
  let last: Promise<unknown> = Promise.resolve();
  const compile = ((fn: never, options: { readonly name: string }) => {
    const compiled = engine.compile(fn, options);
    return Object.assign((...given: Parameters<typeof compiled>) => {
      const [network, part = ""] = options.name.split(" ");
      if (["teacher", "student", "discriminator"].includes(network!)) {
        runs.push(`${network![0]}${part[0] ?? ""}`);
      }
      const taught = runs.filter((run) => run === "t").length;
      if (network === "teacher" && taught === failing) {
        return Promise.reject(new Error("No memory"));
      }
      const turn = last.then(() => compiled(...given));
      last = turn.catch(() => {});
      return turn;
    }, compiled);
  }) as Engine["compile"];
  return { engine: { ...engine, lanes: 2, compile }, runs };
}

async function run(
  out: string,
  { on = engine, stopAt }: { readonly on?: Engine; readonly stopAt?: number } = {},
): Promise<{ readonly bytes: Uint8Array; readonly losses: readonly number[] }> {
  const controller = new AbortController();
  const context = { engine: on, registry, teacher: tinyTeacher(), out: join(folder, out) };
  const losses: number[] = [];
  for await (const event of distill(config, { ...context, signal: controller.signal })) {
    if (event.kind !== "step") continue;
    losses.push(event.losses["pixel"]!);
    if (event.step === stopAt) controller.abort();
  }
  return { bytes: await Deno.readFile(join(folder, out, "student.safetensors")), losses };
}

Deno.test("lanes begin with the teacher of the next step before the update, if it is of the same kind", async () => {
  const { engine: on, runs } = withLanes();
  await run("order", { on });
  const [teacher, gradients, critics] = ["t t", "sg sg", "dg dg"];
  assert.deepEqual(runs.join(" ").split(/(?<=su du|su(?! du)) /), [
    `${teacher} ${gradients} ${teacher} su`,
    `${gradients} ${teacher} su`,
    `${gradients} su`, // wavelets begin
    `${teacher} ${gradients} su`, // the discriminator begins
    `${teacher} ${gradients} ${critics} ${teacher} su du`,
    `${gradients} ${critics} ${teacher} su du`,
    `${gradients} ${critics} su du`,
  ]);
});

Deno.test("what lanes begin changes no number, and a stopped run goes on without it", async () => {
  const { engine: on } = withLanes();
  const { bytes, losses } = await run("lanes", { on });
  const whole = await run("whole");
  assert.equal(losses.length, config.steps);
  losses.forEach((loss, i) => assert.ok(Math.abs(loss / whole.losses[i]! - 1) < 1e-4, `step ${i}`));
  await run("stopped", { on, stopAt: 2 });
  await run("stopped", { on, stopAt: 5 });
  assert.deepEqual((await run("stopped", { on })).bytes, bytes);
});

Deno.test("a teacher that fails ahead of its step fails the step that needs it", async () => {
  const { engine: on, runs } = withLanes(4);
  await assert.rejects(run("failing", { on }), { message: "No memory" });
  assert.equal(runs.join(" "), "t t sg sg t t su sg t"); // the other lane is not stopped
  const { bytes } = await run("failing", { on: withLanes().engine });
  assert.deepEqual(bytes, (await run("lanes", { on: withLanes().engine })).bytes);
});

const batch = (value: number, ready = Promise.resolve()) =>
  ready.then(() => ({
    w: { shape: [1], data: Float32Array.of(value) },
    scales: [],
    features: [],
  }));
const begun = (step: number, ...batches: ReturnType<typeof batch>[]): Begun => ({
  drawn: { step, latents: { z: { shape: [0], data: new Float32Array() }, mix: [] }, noise: [] },
  batches: new Map(batches.map((each, i) => [i, each])),
});

Deno.test("teacherAhead() gives what was begun to its step only, and once", async () => {
  const ahead = teacherAhead();
  assert.equal(ahead.take(3), undefined);
  ahead.put(begun(3, batch(1), batch(2)));
  assert.equal(ahead.take(2), undefined);
  const taken = ahead.take(3)!.batches;
  const values = await Promise.all(taken.values().map(async (each) => numberOf((await each).w)));
  assert.deepEqual(values, [1, 2]);
  assert.equal(ahead.take(3), undefined);
  await ahead.end();
});

const numberOf = (array: EngineArray) => (array as HostArray).data[0];

Deno.test("teacherAhead() waits at the end for what nobody takes, failed or not", async () => {
  const ahead = teacherAhead();
  const ready = Promise.withResolvers<void>();
  ahead.put(begun(1, batch(1, ready.promise), Promise.reject(new Error("Cannot compute it"))));
  let ended = false;
  const end = ahead.end().then(() => ended = true);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(ended, false);
  ready.resolve();
  await end;
  ahead.put(begun(1, Promise.reject(new Error("Cannot compute it"))));
  await assert.rejects(ahead.take(1)!.batches.get(0)!, { message: "Cannot compute it" });
});
