/**
 * What this machine can compute on, measured for some seconds.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { createRandom } from "../core/random.ts";
import { type Adapter, findAdapter } from "./adapter.ts";
import type { DeviceName, Engine, EngineName, PrecisionName } from "./engine.ts";
import type { EngineOptions } from "./mod.ts";

/** An engine and a device. */
export interface DeviceCandidate {
  /** As it is chosen. */
  readonly engine: EngineName;
  /** As it is chosen. */
  readonly device: DeviceName;
  /** As it is chosen; float32 if absent. */
  readonly precision?: PrecisionName;
}

/** What came of trying an engine on a device. */
export interface DeviceReport extends DeviceCandidate {
  /** Whether it can be used. */
  readonly ready: boolean;
  /** The engine's description; if it is not ready, what is missing and what installs it. */
  readonly description: string;
  /** The GPU that WebGPU uses. */
  readonly adapter?: Adapter;
  /** Billions of floating-point operations per second of matrix products of 512 by 512. */
  readonly matmulGflops?: number;
  /** The same of 3x3 convolutions, 64 channels, 64 px; smaller ones on a software adapter. */
  readonly convGflops?: number;
}

/** Engines and devices that there are, the default first. */
export const deviceCandidates: readonly DeviceCandidate[] = [
  { engine: "onnx", device: "cpu" },
  { engine: "onnx", device: "webgpu" },
  { engine: "onnx", device: "cuda" },
  { engine: "openvino", device: "cpu" },
  { engine: "openvino", device: "cpu", precision: "bf16" },
  { engine: "tfjs", device: "cpu" },
  { engine: "tfjs", device: "webgpu" },
  { engine: "tfjs", device: "cuda" },
];

/** A candidate in a word: `openvino/cpu/bf16`. */
export function candidateName({ engine, device, precision }: DeviceCandidate): string {
  return [engine, device, ...precision ? [precision] : []].join("/");
}

/** Tries an engine on a device, and measures it for some seconds; 0 measures nothing. */
export async function tryCandidate(
  candidate: DeviceCandidate,
  seconds: number,
  create: (options: EngineOptions) => Promise<Engine>,
): Promise<DeviceReport> {
  const adapter = candidate.device === "webgpu" ? await findAdapter() : undefined;
  const common = { ...candidate, ...adapter && { adapter } };
  try {
    const made = await create(candidate);
    try {
      const speed = seconds > 0
        ? await measureEngine(made, seconds, adapter?.software ?? false)
        : undefined;
      return { ...common, ready: true, description: made.description, ...speed };
    } finally {
      await made.dispose();
    }
  } catch (error) {
    const description = error instanceof Error ? error.message : String(error);
    return { ...common, ready: false, description };
  }
}

/** What a device is good for, next to the convolutions of the default. */
export function deviceVerdict(
  { engine, device, precision, ready, adapter, convGflops }: DeviceReport,
  reference: number | undefined,
): string {
  if (!ready) return "not usable";
  if (adapter?.software) {
    return "shows that results are right; too slow to train";
  }
  if (engine === "onnx" && device === "cpu") return "the default";
  if (convGflops === undefined || !reference) return "usable";
  const ratio = convGflops / reference;
  const compared = `${ratio.toPrecision(2)} times the default`;
  if (ratio >= 1.1) return `${compared}: use it`;
  if (precision === "bf16") return `${compared}, which is in float32`;
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
  slow: boolean,
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
  const [n, size, channels, batch] = slow ? [128, 16, 16, 1] : [512, 64, 64, 4];
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
