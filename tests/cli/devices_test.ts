import assert from "node:assert/strict";
import { createDevicesCommand } from "../../cli/commands/devices.ts";
import { runCommandLine } from "../../cli/run_command_line.ts";

/** Runs the command with devices that are made up. */
async function devices(...args: string[]): Promise<string[]> {
  const lines: string[] = [];
  const command = createDevicesCommand((only) => {
    const [engine, device] = only.split("/");
    const common = { engine, device, ready: true, description: `${only} works` };
    const report = only === "onnx/cpu"
      ? { ...common, matmulGflops: 100, convGflops: 40 }
      : only === "onnx/webgpu"
      ? {
        ...common,
        matmulGflops: 5000,
        convGflops: 2000,
        adapter: { name: "A", software: false, maxBufferBytes: 2 ** 30, maxBindingBytes: 2 ** 27 },
      }
      : {
        engine,
        device,
        ready: false,
        description:
          `Cannot create the engine "${engine}" on "${device}": expected a card; buy one`,
      };
    const problem = only === "tfjs/webgpu" ? "SIGSEGV" : "";
    return Promise.resolve({ output: `noise\n${JSON.stringify(report)}`, problem });
  }, (only) => Promise.resolve({ ...only, ready: true, description: "works", convGflops: 5 }));
  const print = (line: string) => void lines.push(line);
  await runCommandLine(["devices", ...args], { devices: command }, {
    terminal: { print, warn: print, now: () => 0 },
    onInterrupt: () => () => {},
    confine: () => Promise.resolve(),
    exit: () => {},
  });
  return lines;
}

Deno.test("devices prints what works with speed, limits and verdict, and what is missing", async () => {
  const lines = await devices();
  assert.deepEqual(lines.slice(0, 9), [
    "+ --engine onnx --device cpu",
    "    onnx/cpu works",
    "    matmul 100, conv 40 GFLOP/s; the default",
    "+ --engine onnx --device webgpu",
    "    onnx/webgpu works",
    "    limits: buffer 1024 MiB, binding 128 MiB",
    "    matmul 5000, conv 2000 GFLOP/s; 50 times the default: use it",
    "- --engine onnx --device cuda",
    "    needs a card; buy one",
  ]);
  assert.equal(lines.at(-1), "fastest here: --engine onnx --device webgpu, 50 times the default");
});

Deno.test("devices goes on when a driver ends its process", async () => {
  const lines = await devices("--json");
  const reports = lines.map((line) => JSON.parse(line));
  assert.equal(reports.length, 8);
  assert.equal(
    reports.find(({ engine, device }) => engine === "tfjs" && device === "webgpu").description,
    'Cannot try the engine "tfjs" on "webgpu": expected its process to end well but received SIGSEGV',
  );
});

Deno.test("devices --json gives every device its verdict", async () => {
  const reports = (await devices("--json")).map((line) => JSON.parse(line));
  const verdicts = reports.map(({ engine, device, verdict }) => `${engine}/${device}: ${verdict}`);
  assert.deepEqual(verdicts, [
    "onnx/cpu: the default",
    "onnx/webgpu: 50 times the default: use it",
    "onnx/cuda: not usable",
    "openvino/cpu: not usable",
    "openvino/cpu: not usable",
    "tfjs/cpu: not usable",
    "tfjs/webgpu: not usable",
    "tfjs/cuda: not usable",
  ]);
});

Deno.test("devices --only compares with no default that it did not measure", async () => {
  const [line] = await devices("--json", "--only", "tfjs/cpu");
  assert.equal(JSON.parse(line!).verdict, "usable");
});

Deno.test("devices names the precision that it tried", async () => {
  const lines = await devices("--only", "openvino/cpu/bf16");
  assert.equal(lines[0], "+ --engine openvino --device cpu --precision bf16");
});

Deno.test("devices --only refuses a device that there is not", async () => {
  const [line] = await devices("--only", "onnx/tpu");
  assert.equal(
    line,
    'Cannot try a device: expected --only to be one of "onnx/cpu", "onnx/webgpu", "onnx/cuda", "openvino/cpu", "openvino/cpu/bf16", "tfjs/cpu", "tfjs/webgpu", "tfjs/cuda" but received "onnx/tpu"',
  );
});
