/**
 * A driver that loses the device or has no memory, under both WebGPU engines: HAARLEM_TEST_GPU says
 * which. `deno task test:gpu` runs it on a software GPU; elsewhere it is ignored.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { makeTinyRun } from "../cli/tiny_run.ts";
import { buildFailingDriver, canBuildDriver } from "./failing_driver.ts";

const engine = Deno.env.get("HAARLEM_TEST_GPU");
const ignore = engine === undefined || !canBuildDriver();
const root = new URL("../..", import.meta.url).pathname;

/** Waits for the first whole checkpoint, at most as long as a process runs. */
async function firstCheckpoint(folder: string, ended: Promise<unknown>): Promise<void> {
  let isOver = false;
  void ended.then(() => isOver = true);
  while (!isOver) {
    const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name).catch(() => []);
    if (names.some((name) => /^checkpoint-[\d.]+-kimg\.safetensors$/.test(name))) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test(
  `${engine} on webgpu: distil ends when the driver loses the device, and goes on later`,
  { ignore },
  async () => {
    await using tiny = await makeTinyRun({ steps: 40 });
    await using driver = await buildFailingDriver();
    const out = join(tiny.folder, "run");
    const args = [
      ...["run", "-A", "cli.ts", "distill", "--config", tiny.config, "--out", out],
      ...["--engine", engine!, "--device", "webgpu", "--threads", "1", "--quiet"],
      ...["--set", "checkpointSteps=20"],
    ];
    const start = () =>
      new Deno.Command(Deno.execPath(), {
        args,
        cwd: root,
        env: { ...driver.env, NO_COLOR: "1" },
        stdout: "piped",
        stderr: "piped",
      }).spawn();
    const child = start();
    const ended = child.output();
    await firstCheckpoint(join(out, "checkpoints"), ended);
    await driver.fail("lost");
    const { code, stderr } = await ended;
    const text = new TextDecoder().decode(stderr);
    assert.equal(code, 1, text);
    const said = text.trim().split("\n").at(-1)!;
    const stands = /the checkpoint "(.+)" stands/.exec(said)?.[1];
    assert.match(
      said,
      new RegExp(`^Cannot (?:run "[^"]+"|read an array) on webgpu with ${engine}: `),
    );
    assert.ok(
      said.endsWith(
        `: expected the device to stay but it was lost, and what lay on it is gone; see the system's log for a reset of its driver; the checkpoint "${stands}" stands, and the same command goes on from there`,
      ),
      said,
    );
    assert.ok((await Deno.stat(stands!)).size > 0);
    await driver.heal();
    const again = await start().output();
    const lines = new TextDecoder().decode(again.stdout) + new TextDecoder().decode(again.stderr);
    assert.equal(again.code, 0, lines);
    const events = (await Deno.readTextFile(join(out, "events.jsonl"))).trim().split("\n")
      .map((line) => JSON.parse(line));
    const starts = events.filter(({ kind }) => kind === "start");
    assert.equal(starts.length, 2);
    assert.ok(starts[1].step >= 20 && starts[1].step % 20 === 0, `${starts[1].step}`);
    assert.equal(events.at(-1).kind, "end");
  },
);

const FULL = `
  import { createEngine, tf } from "./mod.ts";
  const engine = await createEngine({ engine: "${engine}", device: "webgpu", threads: 1 });
  const sum = engine.compile(({ x }) => tf.sum(tf.add(tf.softmax(x), x)), { name: "sum" });
  const ones = (n) => ({ x: { shape: [n, n], data: new Float32Array(n * n).fill(1) } });
  await sum(ones(8));
  Deno.writeTextFileSync(Deno.env.get("DRIVER_FAULT"), "memory");
  const { fault, message } = await sum(ones(2048)).catch((error) => error);
  Deno.removeSync(Deno.env.get("DRIVER_FAULT"));
  const { data } = await sum(ones(8));
  console.log(JSON.stringify({ fault, message, sum: data[0] }));`;

Deno.test(
  `${engine} on webgpu: a memory that is full is an error, and the device is as before`,
  { ignore },
  async () => {
    await using driver = await buildFailingDriver();
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", FULL],
      cwd: root,
      env: driver.env,
    }).output();
    const text = new TextDecoder().decode(stdout).trim();
    assert.ok(text, new TextDecoder().decode(stderr));
    assert.deepEqual(JSON.parse(text), {
      fault: "memory",
      message:
        `Cannot run "sum" on webgpu with ${engine}: expected the device to have enough memory but it is full; use a smaller batch`,
      sum: 72,
    });
  },
);
