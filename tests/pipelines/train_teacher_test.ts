import assert from "node:assert/strict";
import { join } from "node:path";
import { openAvatars } from "../../data/avatars.ts";
import { createEngine } from "../../engine/mod.ts";
import type { Teacher } from "../../networks/generator.ts";
import type { TrainingEvent } from "../../pipelines/events.ts";
import { estimateMeanStyle } from "../../pipelines/generate_images.ts";
import { loadTeacher } from "../../pipelines/load_generator.ts";
import { trainTeacher } from "../../pipelines/train_teacher.ts";
import { createRegistry } from "../../registry.ts";
import { tinyTraining } from "./tiny.ts";

const engine = await createEngine({ threads: 1 });
const folder = await Deno.makeTempDir({ prefix: "haarlem-teacher-" });
const registry = createRegistry();
const images = await openAvatars({ sizePx: 16, cacheDir: null });

Deno.test.afterAll(async () => {
  await engine.dispose();
  await Deno.remove(folder, { recursive: true });
});

type Event = TrainingEvent<Teacher>;

async function collect(
  out: string,
  { config = tinyTraining as Parameters<typeof trainTeacher>[0], stopAt = Infinity } = {},
): Promise<Event[]> {
  const abort = new AbortController();
  const events: Event[] = [];
  const context = { engine, registry, images, out: join(folder, out), signal: abort.signal };
  for await (const event of trainTeacher(config, context)) {
    events.push(event);
    if (event.kind === "step" && event.step >= stopAt) abort.abort();
  }
  return events;
}

Deno.test("trainTeacher() trains, samples, checkpoints and saves a teacher", async () => {
  const events = await collect("whole");
  assert.equal(events.filter(({ kind }) => kind === "step").length, 8);
  const end = events.at(-1)!;
  assert.ok(end.kind === "end" && end.finished);
  const teacher = await loadTeacher(end.path);
  assert.ok(teacher.discriminator);
  assert.ok(teacher.weights["mapping.w_mean"]!.data.some((value) => value !== 0));
  for (const event of events) {
    if (event.kind !== "checkpoint") continue;
    const { "mapping.w_mean": mean } = event.student.weights;
    assert.deepEqual(mean, await estimateMeanStyle(event.student, { engine }));
  }
});

Deno.test("trainTeacher() stopped and run again ends with the same bytes", async () => {
  await collect("stopped", { stopAt: 4 });
  await collect("stopped");
  const bytes = (run: string) => Deno.readFile(join(folder, run, "teacher.safetensors"));
  assert.deepEqual(await bytes("stopped"), await bytes("whole"));
});

Deno.test("trainTeacher() whose reader breaks out leaves a checkpoint", async () => {
  const context = { engine, registry, images, out: join(folder, "broken") };
  for await (const event of trainTeacher(tinyTraining, context)) {
    if (event.kind === "step" && event.step === 2) break;
  }
  const events = await collect("broken");
  assert.equal(events[0]!.kind === "start" && events[0]!.step, 2);
});

Deno.test("trainTeacher() goes on with a longer training", async () => {
  const events = await collect("stopped", { config: { ...tinyTraining, kimg: 0.04 } });
  assert.equal(events[0]!.kind === "start" && events[0]!.step, 8);
  assert.equal(events.filter(({ kind }) => kind === "step").length, 2);
});

Deno.test("trainTeacher() refuses another configuration in the same folder", async () => {
  await assert.rejects(collect("whole", { config: { ...tinyTraining, learningRate: 0.001 } }), {
    name: "RangeError",
    message: `Cannot resume "${
      join(folder, "whole")
    }": expected "learningRate" 0.002 as before but received 0.001; use --restart or another --out`,
  });
});

Deno.test("trainTeacher() lists what is wrong with a configuration", async () => {
  const config = { ...tinyTraining, batch: 0, kimg: -1 };
  await assert.rejects(collect("wrong", { config }), {
    name: "RangeError",
    message:
      'Cannot read the configuration: "batch": Too small: expected number to be >0; "kimg": Too small: expected number to be >0',
  });
});
