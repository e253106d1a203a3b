import assert from "node:assert/strict";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { adapterWords } from "../../engine/adapter.ts";
import { deviceError } from "../../engine/device_error.ts";
import {
  createEngine,
  DeviceError,
  deviceVerdict,
  type Engine,
  readArrays,
  tryDevice,
} from "../../engine/mod.ts";
import { placementWords } from "../../engine/placement.ts";
import { distill } from "../../pipelines/distill.ts";
import { trainTeacher } from "../../pipelines/train_teacher.ts";
import { createRegistry } from "../../registry.ts";
import { tinyDistill, tinyTeacher, tinyTraining } from "../pipelines/tiny.ts";

const engine = await createEngine({ threads: 1 });
const folder = await Deno.makeTempDir({ prefix: "haarlem-devices-" });
Deno.test.afterAll(async () => {
  await engine.dispose();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("tryDevice() describes what works, and says what is missing elsewhere", async () => {
  const ready = await tryDevice({ engine: "onnx", device: "cpu" }, { seconds: 0.01 });
  assert.ok(ready.ready && ready.matmulGflops! > 0 && ready.convGflops! > 0);
  assert.match(ready.description, /^ONNX Runtime [\d.]+ on the CPU, (1 thread|\d+ threads)$/);
  const cuda = await tryDevice({ engine: "onnx", device: "cuda" }, { seconds: 0 });
  if (!cuda.ready) {
    assert.equal(
      cuda.description,
      'Cannot create the engine "onnx" on "cuda": expected an NVIDIA GPU with its driver and ONNX Runtime\'s CUDA libraries; get them with `deno install --allow-scripts=npm:onnxruntime-node`',
    );
  }
});

Deno.test("deviceVerdict() compares with the default", () => {
  const report = { engine: "tfjs", device: "cpu", ready: true, description: "" } as const;
  assert.equal(deviceVerdict({ ...report, ready: false }, 10), "not usable");
  assert.equal(deviceVerdict(report, 10), "usable");
  assert.equal(
    deviceVerdict({ ...report, convGflops: 5 }, 10),
    "0.50 times the default: for debugging and as a second opinion",
  );
  const webgpu = { ...report, engine: "onnx", device: "webgpu", convGflops: 200 } as const;
  assert.equal(deviceVerdict(webgpu, 10), "20 times the default: use it");
  const half = {
    ...report,
    engine: "openvino",
    precision: "bf16",
    convGflops: 7,
  } as const;
  assert.equal(deviceVerdict(half, 10), "0.70 times the default, which is in float32");
  const adapter = { name: "llvmpipe", software: true, maxBufferBytes: 1, maxBindingBytes: 1 };
  assert.equal(
    deviceVerdict({ ...webgpu, adapter }, 10),
    "shows that results are right; too slow to train",
  );
});

Deno.test("createEngine() on the device auto says what it chose and why", async () => {
  const chosen = await createEngine({ device: "auto", threads: 1 });
  assert.match(chosen.description, / \(chosen by auto: .+\)$/);
  await chosen.dispose();
});

Deno.test("createEngine() says what is missing where there is no GPU, and auto takes the CPU", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  const script = `
    import { createEngine } from "./engine/mod.ts";
    const lines = [];
    for (const engine of ["onnx", "tfjs"]) {
      const options = { engine, threads: 1, native: false };
      await createEngine({ ...options, device: "webgpu" }).catch((e) => lines.push(e.message));
      const chosen = await createEngine({ ...options, device: "auto" });
      lines.push(chosen.description.replace(/ \\d[\\d.]+ /, " "));
    }
    console.log(JSON.stringify(lines));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", script],
    cwd: new URL("../..", import.meta.url),
    // No driver for Vulkan's loader, and no OpenGL for Deno to turn to.
    env: { VK_DRIVER_FILES: "/nowhere", DENO_WEBGPU_BACKEND: "vulkan" },
  }).output();
  const missing = (engine: string) =>
    `Cannot create the engine "${engine}" on "webgpu": expected a GPU's driver with Vulkan; install the vendor's, or the free ones with \`apt-get install libvulkan1 mesa-vulkan-drivers\``;
  assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), [
    missing("onnx"),
    "ONNX Runtime on the CPU, 1 thread (chosen by auto: no GPU was found)",
    missing("tfjs"),
    "TensorFlow.js on the CPU, eager, 1 thread (chosen by auto: no GPU was found)",
  ]);
});

Deno.test("createEngine() lists the devices of an engine", async () => {
  await assert.rejects(createEngine({ device: "tpu" as "cpu" }), {
    name: "RangeError",
    message:
      'Cannot create the engine "onnx": expected "device" to be one of "cpu", "webgpu", "cuda", "auto" but received "tpu"',
  });
});

Deno.test("placementWords() counts the nodes that a device leaves to the CPU", () => {
  const node = (name: string, op_name: string, provider: string) => ({
    cat: "Node",
    name,
    args: { op_name, provider: `${provider}ExecutionProvider` },
  });
  const events = [
    { cat: "Session", name: "model_run" },
    node("a", "Conv", "WebGpu"),
    node("b", "Sum", "CPU"),
    node("c", "Sum", "CPU"),
    node("d", "TopK", "CPU"),
    node("d", "TopK", "CPU"), // ran twice
  ];
  assert.equal(
    placementWords(events, "step", "webgpu"),
    '"step": 1 nodes on webgpu, 3 on the CPU (2 Sum, 1 TopK)',
  );
  assert.equal(
    placementWords(events.slice(0, 2), "step", "webgpu"),
    '"step": all 1 nodes on webgpu',
  );
});

Deno.test("adapterWords() warns of software", () => {
  const adapter = { name: "llvmpipe", software: true, maxBufferBytes: 1, maxBindingBytes: 1 };
  assert.equal(adapterWords(adapter), "llvmpipe (a software adapter: slow)");
  assert.equal(adapterWords({ ...adapter, name: "Arc A770", software: false }), "Arc A770");
});

const TASK = { task: "student step", engine: "onnx", device: "webgpu" } as const;
const CANNOT = 'Cannot run "student step" on webgpu with onnx: expected';

const RULES = {
  lost:
    "the device to stay but it was lost, and what lay on it is gone; see the system's log for a reset of its driver",
  memory: "the device to have enough memory but it is full; use a smaller batch",
  limit: "it to keep to the device's limits but it does not; use a smaller batch",
};

Deno.test("deviceError() tells a lost device, a full one and a limit apart", () => {
  const cases = {
    "A valid external Instance reference no longer exists. Device was lost": "lost",
    "VK_ERROR_DEVICE_LOST at vkQueueSubmit": "lost",
    "wgpu::MapAsyncStatus value: 4, message: [Device] is lost.": "lost",
    "Failed to allocate memory for requested buffer of size 4294967296": "memory",
    "VK_ERROR_OUT_OF_DEVICE_MEMORY": "memory",
    "Buffer binding 0 range 201326592 exceeds `max_*_buffer_binding_size` limit 134217728": "limit",
    "Too many storage buffers in shader. Current: 13, Max is 12": "limit",
    "Buffer size (5368709120) exceeds the max buffer size limit (1073741824)": "limit",
  } as const;
  for (const [text, fault] of Object.entries(cases)) {
    const error = deviceError(new Error(text), TASK);
    assert.ok(error instanceof DeviceError);
    assert.deepEqual([error.fault, error.message], [fault, `${CANNOT} ${RULES[fault]}`], text);
  }
  // ONNX Runtime's words of a buffer that could not be made, whatever the reason.
  const noBuffer = new Error(
    "[Invalid Buffer (unlabeled)] is invalid due to a previous error.\n - While validating entries[0] against { binding: 0, buffer: { minBindingSize: 0 } }",
  );
  for (const [isTooLarge, fault] of [[false, "memory"], [true, "limit"]] as const) {
    const error = deviceError(noBuffer, { ...TASK, isTooLarge });
    assert.ok(error instanceof DeviceError);
    assert.deepEqual([error.fault, error.message], [fault, `${CANNOT} ${RULES[fault]}`]);
  }
  const other = new Error("Invalid input name: in7");
  assert.equal(deviceError(other, TASK), other);
});

/** The engine, as if its device were lost in the n-th run of a function of this name. */
function failing(name: string, n: number): Engine {
  let runs = 0;
  return {
    ...engine,
    device: "webgpu",
    compile: ((fn: never, options: { readonly name: string }) => {
      const compiled = engine.compile(fn, options) as unknown as (...args: unknown[]) => unknown;
      const run = (...args: unknown[]) => {
        if (!options.name.startsWith(name) || ++runs < n) return compiled(...args);
        return Promise.reject(deviceError(new Error("Device was lost"), TASK));
      };
      return Object.assign(run, compiled);
    }) as unknown as Engine["compile"],
  };
}

const LOST =
  `${CANNOT} the device to stay but it was lost, and what lay on it is gone; see the system's log for a reset of its driver; `;

Deno.test("distill() on a device that is lost names the checkpoint that stands", async () => {
  const context = { registry: createRegistry(), teacher: tinyTeacher(), out: join(folder, "lost") };
  const run = (engine: Engine) => Array.fromAsync(distill(tinyDistill, { ...context, engine }));
  await assert.rejects(run(failing("student step", 2)), {
    name: "DeviceError",
    message: `${LOST}there is no checkpoint yet, so the same command starts again`,
  });
  await Deno.remove(context.out, { recursive: true });
  const checkpoint = join(context.out, "checkpoints", "checkpoint-000000.032-kimg.safetensors");
  await assert.rejects(run(failing("student step", 7)), {
    name: "DeviceError",
    message:
      `${LOST}the checkpoint "${checkpoint}" stands, and the same command goes on from there`,
  });
  const events = await run(engine); // goes on
  assert.ok(events[0]!.kind === "start" && events[0]!.step === 4);
});

Deno.test("trainTeacher() on a device that is lost names the checkpoint that stands", async () => {
  const out = join(folder, "lost-teacher");
  const run = Array.fromAsync(
    trainTeacher(tinyTraining, {
      engine: failing("generator step", 2),
      registry: createRegistry(),
      out,
    }),
  );
  await assert.rejects(run, {
    name: "DeviceError",
    message: `${LOST}there is no checkpoint yet, so the same command starts again`,
  });
});

Deno.test("a host engine gives outputs that could stay resident as it gives all others", async () => {
  const step = engine.compile(
    ({ state }: { state: tf.Tensor }) => ({ state: tf.add(state, 1) }),
    { name: "counter", resident: ["state"] },
  );
  const { state } = await step({ state: { shape: [1], data: Float32Array.of(1) } });
  assert.deepEqual(await readArrays(state), { shape: [1], data: Float32Array.of(2) });
});
