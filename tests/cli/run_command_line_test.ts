import assert from "node:assert/strict";
import { defineCommand } from "../../cli/command.ts";
import { RUN_OPTIONS, runPipeline } from "../../cli/run_pipeline.ts";
import { runCommandLine } from "../../cli/run_command_line.ts";
import type { TrainingEvent } from "../../mod.ts";
import { fakeProcess } from "./fake_process.ts";

/** A run of three steps that stops like the real ones. */
async function* fakeRun(
  signal: AbortSignal,
  onStep: (step: number) => void = () => {},
): AsyncGenerator<TrainingEvent<string>> {
  yield { kind: "start", run: "runs/x", step: 0, steps: 3, notes: ["fake engine"] };
  let step = 0;
  while (step < 3 && !signal.aborted) {
    await Promise.resolve();
    step++;
    onStep(step);
    const losses = { pixel: 0.5 / step };
    const rates = { imagesPerSecond: 31.25, etaSeconds: 3 - step };
    yield { kind: "step", step, steps: 3, kimg: step, losses, ...rates };
  }
  const summary = { psnrDb: 21.23456, engine: "fake" };
  const finished = step === 3;
  yield { kind: "end", finished, step, kimg: 3, summary, path: "runs/x/student", student: "S" };
}

function commandsWith(onStep?: (step: number) => void) {
  const work = defineCommand({
    summary: "Works three steps",
    options: { ...RUN_OPTIONS, steps: { type: "integer", help: "steps", minimum: 1 } },
    run: (values, context) => runPipeline(fakeRun(context.signal, onStep), values, context),
  });
  return { work, list: defineCommand({ summary: "Lists", options: {}, run: async () => {} }) };
}

const RESULT = ["Wrote runs/x/student after 3 steps (3 kimg)", "  PSNR 21.23 dB", "  engine fake"];

Deno.test("runCommandLine() shows lines where there is no terminal and prints the result", async () => {
  const process = fakeProcess();
  const code = await runCommandLine(["work"], commandsWith(() => process.time += 1500), process);
  assert.equal(code, 0);
  assert.deepEqual(process.out, RESULT);
  assert.deepEqual(process.err, [
    "to step 3 in runs/x; fake engine",
    "step 1/3 | 31.3 images/s | 2 s left | pixel 0.500",
    "step 3/3 | 31.3 images/s | 0 s left | pixel 0.167", // step 2 came too soon
  ]);
});

Deno.test("runCommandLine() draws a bar on a terminal and gives the cursor back", async () => {
  const process = fakeProcess({ isTerminal: true });
  assert.equal(await runCommandLine(["work"], commandsWith(), process), 0);
  const drawn = process.drawn.join("");
  assert.match(drawn, /█+ 3\/3 \| 31\.3 images\/s \| 0 s left \| pixel 0\.167/);
  assert.ok(drawn.lastIndexOf("\x1b[?25h") > drawn.lastIndexOf("\x1b[?25l"));
});

Deno.test("runCommandLine() prints events as JSON lines with --json", async () => {
  const process = fakeProcess();
  assert.equal(await runCommandLine(["work", "--json"], commandsWith(), process), 0);
  assert.deepEqual(process.out.map((line) => JSON.parse(line).kind), [
    "start",
    "step",
    "step",
    "step",
    "end",
  ]);
  assert.deepEqual(process.err, []);
});

Deno.test("runCommandLine() shows only the result with --quiet", async () => {
  const process = fakeProcess();
  assert.equal(await runCommandLine(["work", "--quiet"], commandsWith(), process), 0);
  assert.deepEqual([process.out, process.err], [RESULT, []]);
});

Deno.test("runCommandLine() stops at Ctrl-C with a checkpoint, the way to go on, and 130", async () => {
  const process = fakeProcess();
  const commands = commandsWith((step) => step === 2 && process.interrupt());
  // Started over, it does not go on by starting over again.
  const code = await runCommandLine(["work", "--restart", "--steps", "3"], commands, process);
  assert.equal(code, 130);
  assert.deepEqual(process.err.slice(-3), [
    "Stopping after this step to write a checkpoint; Ctrl-C again stops at once",
    "step 2/3 | 31.3 images/s | 1 s left | pixel 0.250",
    "Stopped at step 2, checkpoint in runs/x; the same command goes on from there: " +
    "deno task work --steps 3",
  ]);
  assert.deepEqual([process.out, process.exits], [[], []]);
});

Deno.test("runPipeline() stopped while it prepares does not claim a checkpoint", async () => {
  const process = fakeProcess();
  const prepare = defineCommand({
    summary: "Prepares",
    options: RUN_OPTIONS,
    run: (values, context) =>
      runPipeline<string>(
        (async function* () {
          yield { kind: "start", run: "runs/x", step: 0, steps: 3, notes: [] };
          process.interrupt();
          context.signal.throwIfAborted();
        })(),
        values,
        context,
      ),
  });
  assert.equal(await runCommandLine(["prepare"], { prepare }, process), 130);
  assert.equal(
    process.err.at(-1),
    "Stopped before the first step; the same command starts again: deno task prepare",
  );
});

Deno.test("runPipeline() tells of samples, checkpoints and a run that goes on", async () => {
  const process = fakeProcess();
  const show = defineCommand({
    summary: "Shows",
    options: RUN_OPTIONS,
    run: (values, context) =>
      runPipeline<string>(
        (async function* () {
          yield { kind: "start", run: "runs/x", step: 2, steps: 3, notes: [] };
          yield { kind: "start", run: "runs/x", step: 3, steps: 3, notes: ["note"] };
          const at = { step: 3, kimg: 0.1 };
          const images = { shape: [0], data: new Float32Array(0) };
          const measures = { meanImagePsnrDb: 20.5, imagesPerSecond: 64 };
          yield { kind: "sample", ...at, images, columns: 8, path: "a.png", measures };
          yield { kind: "sample", ...at, images, columns: 8, path: "b.png", measures: {} };
          yield { kind: "checkpoint", ...at, path: "c", student: "S" };
        })(),
        values,
        context,
      ),
  });
  assert.equal(await runCommandLine(["show"], { show }, process), 0);
  assert.deepEqual(process.err, [
    "from step 2 to step 3 in runs/x",
    "complete at step 3 in runs/x (a longer run goes on, --restart starts over); note",
    "sample a.png: mean image PSNR 20.5 dB, images per second 64",
    "sample b.png",
    "checkpoint c",
  ]);
});

Deno.test("runCommandLine() ends at once at a second Ctrl-C, but not at the echo of the first", async () => {
  for (const [pause, exits] of [[1, []], [501, [130]]] as const) {
    const process = fakeProcess();
    const commands = commandsWith((step) => {
      if (step !== 2) return;
      process.interrupt();
      process.time += pause;
      process.interrupt();
    });
    await runCommandLine(["work"], commands, process);
    assert.deepEqual(process.exits, exits);
  }
});

Deno.test("runCommandLine() takes a pipeline that throws at the abort for interrupted", async () => {
  const process = fakeProcess();
  const wait = defineCommand({
    summary: "Waits",
    options: {},
    run: (_values, { signal }) => {
      process.interrupt();
      signal.throwIfAborted();
      return Promise.resolve();
    },
  });
  assert.equal(await runCommandLine(["wait"], { wait }, process), 130);
  assert.deepEqual(process.err, []);
});

Deno.test("runCommandLine() says an error in one sentence and ends with 1", async () => {
  const fail = (error: unknown) =>
    defineCommand({ summary: "Fails", options: {}, run: () => Promise.reject(error) });
  const cases: readonly (readonly [unknown, string])[] = [
    [new RangeError('Cannot find "x": expected y'), 'Cannot find "x": expected y'],
    [new Error("first\n  second"), "Cannot finish fail: first second"],
    ["text", "Cannot finish fail: text"],
    [new Error(""), "Cannot finish fail: an error without a message"],
  ];
  for (const [error, sentence] of cases) {
    const process = fakeProcess();
    assert.equal(await runCommandLine(["fail"], { fail: fail(error) }, process), 1);
    assert.deepEqual([process.out, process.err], [[], [sentence]]);
  }
});

Deno.test("runCommandLine() fails when the checkpoint of an interrupted run cannot be written", async () => {
  const process = fakeProcess();
  const commands = commandsWith((step) => {
    if (step !== 2) return;
    process.interrupt();
    throw new Error('Cannot write "x": expected a writable file but received "full"');
  });
  assert.equal(await runCommandLine(["work"], commands, process), 1);
  assert.equal(
    process.err.at(-1),
    'Cannot write "x": expected a writable file but received "full"',
  );
});

Deno.test("runCommandLine() shows stack and causes with --verbose only", async () => {
  const error = new Error("Cannot a: b", { cause: new Error("disk full") });
  const fail = defineCommand({ summary: "Fails", options: {}, run: () => Promise.reject(error) });
  const process = fakeProcess();
  assert.equal(await runCommandLine(["fail", "--verbose"], { fail }, process), 1);
  assert.equal(process.err[0], "Cannot a: b");
  assert.match(process.err[1]!, /^Error: Cannot a: b\n {4}at .*run_command_line_test\.ts/);
  assert.match(process.err[2]!, /^caused by Error: disk full\n {4}at /);
});

Deno.test("runCommandLine() ends with 2 at wrong usage", async () => {
  const cases: Readonly<Record<string, string>> = {
    "wrk": 'Cannot find command "wrk": known commands are work, list; did you mean "work"?',
    "zzzzzz": 'Cannot find command "zzzzzz": known commands are work, list',
    "work --stesp 3": 'Cannot find option "--stesp" of work; did you mean "--steps"?',
    "work --qqqqqq=3":
      'Cannot find option "--qqqqqq" of work; "deno task work --help" lists the known ones',
    "work extra": 'Cannot run work: expected options only but received "extra"',
    "work --steps": "Cannot read --steps: expected a value but received nothing",
    "work --steps 0": 'Cannot read --steps: expected an integer of at least 1 but received "0"',
    "work -n5": 'Cannot parse "-n5": expected a short flag like "-n 5" or "-n=5"',
  };
  for (const [line, sentence] of Object.entries(cases)) {
    const process = fakeProcess();
    assert.equal(await runCommandLine(line.split(" "), commandsWith(), process), 2, line);
    assert.deepEqual([process.out, process.err], [[], [sentence]]);
  }
});

Deno.test("runCommandLine() helps on request with 0, and unasked with 2", async () => {
  for (const [args, code] of [[["--help"], 0], [["help"], 0], [[], 2]] as const) {
    const process = fakeProcess();
    assert.equal(await runCommandLine(args, commandsWith(), process), code);
    const text = (code === 0 ? process.out : process.err).join("\n");
    assert.match(text, /^ {2}work {2}Works three steps$/m);
  }
  const process = fakeProcess();
  assert.equal(
    await runCommandLine(["work", "--steps", "x", "--help"], commandsWith(), process),
    0,
  );
  assert.match(process.out.join("\n"), /^ {2}--steps INTEGER {2}steps$/m);
});
