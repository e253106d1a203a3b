import assert from "node:assert/strict";
import { runProgram } from "../../../io/native/run_program.ts";

Deno.test("runProgram() gives what a program wrote, and how it ended", async () => {
  assert.deepEqual(await runProgram("sh", ["-c", "echo out; echo problem >&2; exit 3"]), {
    success: false,
    output: "out",
    text: "out\nproblem",
  });
  assert.equal((await runProgram("sh", ["-c", "kill -9 $$"]))!.text, "ended by SIGKILL");
  assert.equal(await runProgram("there-is-no-such-program", []), undefined);
});

Deno.test("runProgram() that is stopped ends what the program has started too", async () => {
  const abort = new AbortController();
  const folder = await Deno.makeTempDir({ prefix: "haarlem-program-" });
  try {
    const started = `${folder}/started`;
    const script = `sh -c 'touch ${started}; sleep 60; true'; true`; // its end comes by the pipe
    const running = runProgram("sh", ["-c", script], { signal: abort.signal });
    while (!await Deno.stat(started).then(() => true, () => false)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const start = performance.now();
    abort.abort(new Error("interrupted"));
    await assert.rejects(running, { message: "interrupted" });
    assert.ok(performance.now() - start < 30_000);
    await assert.rejects(runProgram("sh", [], { signal: abort.signal }), {
      message: "interrupted",
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
