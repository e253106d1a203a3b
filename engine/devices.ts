/**
 * What this machine can compute on, measured for some seconds.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { createRandom } from "../core/random.ts";
import { type Adapter, findAdapter } from "./adapter.ts";
import type { DeviceName, Engine, EngineName } from "./engine.ts";
import type { EngineOptions } from "./mod.ts";

/** One way to compute on this machine. */
export interface DeviceReport {
  readonly engine: EngineName;
  readonly device: DeviceName;
  /** Whether it can be used. */
  readonly ready: boolean;
  /** The engine's description; if it is not ready, what is missing and what installs it. */
  readonly description: string;
  /** The GPU that WebGPU uses. */
  readonly adapter?: Adapter;
  /** Billions of floating-point operations per second of `[512,512]` matrix products. */
  readonly matmulGflops?: number;
  /** The same of 3x3 convolutions, 64 channels, 64 px. */
  readonly convGflops?: number;
  /** One sentence: what it is good for. */
  readonly verdict: string;
}

/** Options of {@linkcode tryDevices}. */
export interface TryDevicesOptions {
  /** How long a measurement may take; 0 measures nothing. Default 1. */
  readonly seconds?: number;
  /** Makes the engines; default `createEngine`. */
  readonly create: (options: EngineOptions) => Promise<Engine>;
}

const CANDIDATES: readonly (readonly [EngineName, DeviceName])[] = [
  ["onnx", "cpu"],
  ["onnx", "webgpu"],
  ["onnx", "cuda"],
  ["openvino", "cpu"],
  ["tfjs", "cpu"],
  ["tfjs", "webgpu"],
  ["tfjs", "cuda"],
];

/** Tries every engine on every device it knows, one after another. */
export async function* tryDevices(
  { seconds = 1, create }: TryDevicesOptions,
): AsyncGenerator<DeviceReport> {
  const adapter = await findAdapter();
  let reference = 0;
  for (const [engine, device] of CANDIDATES) {
    const common = { engine, device, ...device === "webgpu" && adapter && { adapter } };
    try {
      const made = await create({ engine, device });
      try {
        const speed = seconds > 0 ? await measureEngine(made, seconds) : undefined;
        if (engine === "onnx" && device === "cpu") reference = speed?.convGflops ?? 0;
        const verdict = verdictOf(common, speed?.convGflops, reference);
        yield { ...common, ready: true, description: made.description, ...speed, verdict };
      } finally {
        await made.dispose();
      }
    } catch (error) {
      const description = error instanceof Error ? error.message : String(error);
      yield { ...common, ready: false, description, verdict: "not usable" };
    }
  }
}

function verdictOf(
  { engine, device, adapter }: Pick<DeviceReport, "engine" | "device" | "adapter">,
  gflops: number | undefined,
  reference: number,
): string {
  if (adapter?.software) return "a software adapter: proves correctness, too slow to train on";
  if (gflops === undefined || reference === 0) return "usable";
  if (engine === "onnx" && device === "cpu") return "the default";
  const ratio = gflops / reference;
  const compared = `${ratio < 0.1 ? ratio.toFixed(3) : ratio.toFixed(1)} times the default`;
  if (ratio >= 1.1) return `${compared}: use it`;
  return engine === "tfjs" ? `${compared}: for debugging and as a second opinion` : compared;
}

interface Pair {
  readonly a: tf.Tensor;
  readonly b: tf.Tensor;
}

/** Runs matrix products and convolutions for a while; sums keep what is read back small. */
async function measureEngine(
  engine: Engine,
  seconds: number,
): Promise<{ readonly matmulGflops: number; readonly convGflops: number }> {
  const random = createRandom(1, "devices");
  const product = engine.compile(
    ({ a, b }: Pair) => tf.sum(tf.matMul(a, b)),
    { name: "matmul measurement" },
  );
  const convolution = engine.compile(
    ({ a, b }: Pair) => tf.sum(tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, "same")),
    { name: "conv measurement" },
  );
  const [n, size, channels, batch] = [512, 64, 64, 4];
  const rate = async (run: () => Promise<unknown>, operations: number) => {
    await run(); // compiles
    const start = performance.now();
    let runs = 0;
    while (runs === 0 || performance.now() - start < 500 * seconds) {
      await run();
      runs++;
    }
    return operations * runs / (performance.now() - start) / 1e6;
  };
  const square = random.normal([n, n]);
  const inputs = {
    a: random.normal([batch, size, size, channels]),
    b: random.normal([3, 3, channels, channels]),
  };
  return {
    matmulGflops: await rate(() => product({ a: square, b: square }), 2 * n ** 3),
    convGflops: await rate(
      () => convolution(inputs),
      2 * batch * size ** 2 * 9 * channels ** 2,
    ),
  };
}
