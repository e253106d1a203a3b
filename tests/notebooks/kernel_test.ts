/** What notebooks do in Deno's own kernel. */
import assert from "node:assert/strict";
import { type KernelClient, startKernel } from "../../tools/notebooks/kernel_client.ts";
import { createOutputs, joined, kindsOf } from "../../tools/notebooks/notebook_file.ts";

const cwd = new URL(".", import.meta.url).pathname;

async function withKernel(use: (kernel: KernelClient) => Promise<void>): Promise<void> {
  const kernel = await startKernel({ cwd });
  try {
    await use(kernel);
  } finally {
    await kernel.shutdown();
  }
}

async function run(kernel: KernelClient, code: string, seconds = 120) {
  const { outputs, add } = createOutputs();
  const { status } = await kernel.execute(code, { seconds, onMessage: add });
  return { status, outputs };
}

Deno.test("execute() gives results, streams, errors, and displays as they were last", async () => {
  await withKernel(async (kernel) => {
    const result = await run(kernel, "const x: number = 20; x + 1");
    assert.equal(joined(result.outputs[0]?.data?.["text/plain"]), "21");
    const stream = await run(kernel, 'console.log("a"); console.log("b"); console.error("c")');
    assert.deepEqual(stream.outputs.map(({ name, text }) => [name, text]), [
      ["stdout", ["a\n", "b\n"]],
      ["stderr", ["c\n"]],
    ]);
    const failed = await run(kernel, "null.x");
    assert.equal(failed.status, "error");
    assert.equal(failed.outputs[0]?.ename, "TypeError");
    const live = await run(
      kernel,
      `for (let i = 0; i < 3; i++) {
        await Deno.jupyter.display({ "text/plain": \`\${i}\` }, { raw: true, display_id: "q", update: i > 0 });
      }`,
    );
    assert.deepEqual(live.outputs.map(({ data }) => joined(data?.["text/plain"])), ["2"]);
  });
});

Deno.test("execute() gets outputs that come after the kernel said that it was idle", async () => {
  await withKernel(async (kernel) => {
    const many =
      'for (let i = 0; i < 500; i++) await Deno.jupyter.display({ "text/plain": "x" }, { raw: true })';
    assert.equal((await run(kernel, many)).outputs.length, 500);
  });
});

Deno.test("execute() ends a cell that takes too long", async () => {
  await withKernel(async (kernel) => {
    await assert.rejects(run(kernel, "await new Promise((r) => setTimeout(r, 60_000))", 0.5), {
      message: "Cannot run the cell: expected at most 0.5 s",
    });
  });
});

Deno.test("execute() says that the kernel died", async () => {
  await withKernel(async (kernel) => {
    await assert.rejects(run(kernel, "Deno.exit(3)"), {
      message: "Cannot run the cell: the kernel ended with code 3",
    });
  });
});

/** A distillation too long to wait for. */
const distillation = (out: string, signal: string) => `
for await (const event of distill(config, { engine, registry, teacher, out: ${
  JSON.stringify(out)
}, signal: ${signal} })) await show(event);`;

const PREPARE = `
import { createEngine, createRegistry, createTeacher, distill, setupNotebook, show } from "haarlem";
const { stopSignal } = setupNotebook();
const engine = await createEngine({ threads: 1 });
const registry = createRegistry();
const teacher = createTeacher({ sizePx: 16, styleDim: 8, mappingLayers: 2, channels: [8, 8, 4] });
const config = { steps: 100_000, batch: 2, losses: [{ name: "pixel" }] };`;

Deno.test("show() in a notebook: Stop ends the run with a checkpoint and keeps the kernel", async () => {
  const out = await Deno.makeTempDir({ prefix: "haarlem-stop-" });
  const checkpoints = () =>
    Array.fromAsync(Deno.readDir(`${out}/checkpoints`), ({ name }) => name).catch(() => []);
  const eventCount = async () =>
    (await Deno.readTextFile(`${out}/events.jsonl`).catch(() => "")).split("\n").length;
  const stopAfterSomeSteps = async (kernel: KernelClient) => {
    const before = await eventCount();
    while (await eventCount() < before + 5) await new Promise((r) => setTimeout(r, 50));
    kernel.interrupt();
  };
  try {
    await withKernel(async (kernel) => {
      assert.equal((await run(kernel, PREPARE)).status, "ok");

      const [thrown] = await Promise.all([
        run(kernel, distillation(out, "undefined")),
        stopAfterSomeSteps(kernel),
      ]);
      assert.equal(thrown.status, "error");
      assert.equal(thrown.outputs.at(-1)?.evalue, "Stopped by the notebook's user");
      assert.equal((await checkpoints()).length, 1);

      const [ended] = await Promise.all([
        run(kernel, distillation(out, "stopSignal()")),
        stopAfterSomeSteps(kernel),
      ]);
      assert.equal(ended.status, "ok");
      assert.deepEqual(kindsOf(ended.outputs), ["image/png", "text/html"]);
      const [bar] = ended.outputs;
      assert.match(
        joined(bar?.data?.["text/plain"]),
        /goes on from [^]*\nstopped at step \d+: psnrDb/,
      );

      assert.equal((await run(kernel, "1 + 1")).status, "ok");
    });
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});

Deno.test("setupNotebook() shows an error in a timer instead of hanging the cell", async () => {
  await withKernel(async (kernel) => {
    const setup = await run(kernel, 'import { setupNotebook } from "haarlem"; setupNotebook();');
    assert.equal(setup.status, "ok");
    const { status, outputs } = await run(
      kernel,
      `setTimeout(() => { throw new Error("later") }, 10);
      Promise.reject(new Error("nobody waits"));
      await new Promise((r) => setTimeout(r, 100));`,
      20,
    );
    assert.equal(status, "ok");
    const text = outputs.map(({ text }) => joined(text)).join("");
    assert.match(
      text,
      /Error: later\n[^]*Error: nobody waits|Error: nobody waits\n[^]*Error: later/,
    );
  });
});
