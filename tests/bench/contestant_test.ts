import assert from "node:assert/strict";
import { openContestant } from "../../bench/contestant.ts";

/** A contestant of this JavaScript, which has `lines`, an iterator, and `answer`. */
function opened(body: string, limitSeconds = 30) {
  const script = `
    const lines = (async function* () {
      for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
        yield* text.trim().split("\\n");
      }
    })();
    const answer = (value) => console.log(JSON.stringify(value));
    ${body}`;
  return openContestant({
    label: "it",
    command: [Deno.execPath(), "eval", script],
    load: {},
    limitSeconds,
  });
}

const begun = `await lines.next(); answer({ name: "me" }); await lines.next();`;

Deno.test("openContestant() asks and is answered", async () => {
  const it = await opened(`${begun} answer({ value: 7 });`);
  assert.equal(it.name, "me");
  assert.equal((await it.run("step", 1)).value, 7);
  await it.close();
});

Deno.test("openContestant() passes on what cannot be done", async () => {
  await assert.rejects(opened(`await lines.next(); answer({ error: "Cannot create it" });`), {
    message: "Cannot create it",
  });
  const it = await opened(`${begun} answer({ error: "ValueError: no" }); await lines.next();`);
  await assert.rejects(it.run("step", 1), {
    message: 'Cannot run "step" on "it": ValueError: no',
  });
  await it.close();
});

Deno.test("openContestant() gives the last words of a process that ends", async () => {
  await assert.rejects(opened(`console.error("a\\nNo module named torch"); Deno.exit(1);`), {
    message: 'Cannot begin on "it": its process ended and said "No module named torch"',
  });
});

Deno.test("openContestant() ends a process that is too slow", async () => {
  const it = await opened(`${begun} await new Promise((done) => setTimeout(done, 60_000));`, 3);
  await assert.rejects(it.run("step", 1), {
    message:
      'Cannot run "step" on "it": expected an answer within 3 s but received none; see --limit',
  });
  await it.close();
});

Deno.test("openContestant() refuses a program that is not there", async () => {
  await assert.rejects(
    openContestant({ label: "it", command: ["no-such-program"], load: {}, limitSeconds: 3 }),
    { message: 'Cannot begin on "it": expected the program "no-such-program" but found none' },
  );
});
