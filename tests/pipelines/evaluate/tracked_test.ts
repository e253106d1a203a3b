import assert from "node:assert/strict";
import { type Tick, tracked } from "../../../pipelines/evaluate/tracked.ts";

const pause = () => new Promise((resolve) => setTimeout(resolve, 1));

Deno.test("tracked() yields what the work reports, then gives its result", async () => {
  const work = tracked(async (tick) => {
    for (const images of [3, 4, 5]) {
      await pause();
      tick(images);
    }
    return "done";
  });
  const seen: number[] = [];
  let next = await work.next();
  for (; !next.done; next = await work.next()) seen.push(next.value);
  assert.equal(seen.reduce((sum, images) => sum + images), 12);
  assert.equal(next.value, "done");
});

Deno.test("tracked() throws what the work throws, also while its reader is busy", async () => {
  const failing = async (tick: Tick) => {
    tick(1);
    await pause();
    throw new RangeError("Cannot go on");
  };
  const work = tracked(failing);
  assert.deepEqual(await work.next(), { done: false, value: 1 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  await assert.rejects(work.next(), { message: "Cannot go on" });
});

Deno.test("tracked() ends the work when its reader leaves", async () => {
  let reports = 0;
  for await (
    const _ of tracked(async (tick) => {
      for (;; reports++) {
        await pause();
        tick(1);
      }
    })
  ) break;
  const before = reports;
  await pause();
  await pause();
  assert.equal(reports, before);
});

Deno.test("tracked() throws the signal's reason", async () => {
  const abort = new AbortController();
  const run = async () => {
    for await (
      const _ of tracked(async (tick) => {
        for (;;) {
          await pause();
          tick(1);
        }
      }, abort.signal)
    ) abort.abort(new Error("enough"));
  };
  await assert.rejects(run, { message: "enough" });
});
