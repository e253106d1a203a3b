/** The command line as a process: signals and exit codes as a shell sees them. */
import assert from "node:assert/strict";
import { TextLineStream } from "./text_line_stream.ts";
import { makeTinyRun } from "./tiny_run.ts";

const CLI = new URL("../../cli.ts", import.meta.url).pathname;

function start(...args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", CLI, ...args],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

Deno.test("the process checkpoints at SIGINT, ends with 130, and the same command resumes", {
  ignore: Deno.build.os === "windows", // has no SIGINT to send
}, async () => {
  await using tiny = await makeTinyRun({ steps: 100_000 });
  const args = ["distill", "--config", tiny.config, "--out", `${tiny.folder}/run`, "--json"];
  const child = start(...args);
  const errors = new Response(child.stderr).text();
  let steps = 0;
  for await (
    const line of child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(
      new TextLineStream(),
    )
  ) {
    if (JSON.parse(line).kind === "step") steps = JSON.parse(line).step;
    if (steps === 3) child.kill("SIGINT");
  }
  assert.equal((await child.status).code, 130);
  const typed = ["deno task", ...args].join(" ");
  assert.equal(
    (await errors).trim(),
    `Stopped at step ${steps}, checkpoint in ${tiny.folder}/run; ` +
      `the same command goes on from there: ${typed}`,
  );

  const { code, stdout } = await start(...args, "--steps", String(steps + 2)).output();
  assert.equal(code, 0);
  const [first] = new TextDecoder().decode(stdout).split("\n");
  assert.equal(JSON.parse(first!).step, steps);
});

Deno.test("the process ends with 1 after a failure and with 2 after wrong usage", async () => {
  const cases = [
    [["generate", "--weights", "missing.safetensors"], 1],
    [["generate", "--weigths", "x"], 2],
    [["--help"], 0],
  ] as const;
  for (const [args, expected] of cases) {
    const { code, stderr } = await start(...args).output();
    assert.equal(code, expected);
    const lines = new TextDecoder().decode(stderr).split("\n").filter(Boolean);
    assert.equal(lines.length, expected === 0 ? 0 : 1, lines.join("\n"));
  }
});
