/**
 * How long networks take for an image, and how much memory.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../../core/contracts.ts";
import { lift } from "../../core/flat.ts";
import { under } from "../../core/params.ts";
import type { Engine } from "../../engine/mod.ts";
import { watchMemory } from "../../io/peak_memory.ts";
import type { Generator, Student } from "../../networks/generator.ts";
import { mapping } from "../../networks/mapping.ts";
import { forInference } from "../for_inference.ts";
import { runSynthesis } from "../run_generator.ts";
import { exitImage, exitSizes } from "./early_exits.ts";
import { latentsFor } from "./latents.ts";
import type { Measurement } from "./measurement.ts";
import type { Tick } from "./tracked.ts";

type LatentsToImage = (
  inputs: { readonly z: tf.Tensor2D; readonly noise: readonly tf.Tensor4D[] },
) => tf.Tensor;

/** A network to be timed: from a latent and noise to an image. */
export interface Timed {
  readonly subject: string;
  readonly config: Generator["config"];
  readonly image: LatentsToImage;
}

/** A generator whole: a student in the form that inference needs. */
export function timedGenerator(subject: string, generator: Generator): Timed {
  const lean = generator.kind === "student" ? forInference(generator) : generator;
  return {
    subject,
    config: lean.config,
    image: ({ z, noise }) => {
      const w = mapping(under(lift(lean.weights), "mapping"), z, lean.config);
      return runSynthesis(lean, { w, noise }).image;
    },
  };
}

/** A student stopped at each of its auxiliary heads. */
export function timedExits(student: Student): Timed[] {
  return exitSizes(student).slice(0, -1).map((size, exit) => ({
    subject: `head of ${size} px`,
    config: student.config,
    image: (inputs) => exitImage(student, exit, inputs),
  }));
}

/** Loads the engine's library, so that the first network is not charged for it. */
async function warmRuntime(engine: Engine): Promise<void> {
  const tiny = engine.compile(
    ({ x, kernel }: { x: tf.Tensor; kernel: tf.Tensor }) =>
      tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, 1, "same"),
    { name: "warm-up" },
  );
  const zeros = (...shape: number[]) => ({
    shape,
    data: new Float32Array(shape.reduce((product, n) => product * n)),
  });
  await tiny({ x: zeros(1, 16, 16, 8), kernel: zeros(3, 3, 8, 8) });
  await tiny.dispose();
}

/** Runs before the clock starts. */
const WARM_UP = 3;

/**
 * Times networks image by image. They take turns, so that other work on the machine slows all alike.
 *
 * Values: `ms` (the median), `ms_low` and `ms_high` (the 10th and 90th percentile) and `peak_mb`, by
 * how much the process grew at most while the network was compiled and first run.
 */
export async function measureTimes(
  networks: readonly Timed[],
  { engine, runs, seed, tick }: {
    readonly engine: Engine;
    readonly runs: number;
    readonly seed: number;
    readonly tick: Tick;
  },
): Promise<Measurement[]> {
  const entries: {
    subject: string;
    run(): Promise<void>;
    dispose(): Promise<void>;
    peak: number;
  }[] = [];
  await warmRuntime(engine);
  for (const { subject, config, image } of networks) {
    const latents = latentsFor({ seed, purpose: "images" }, config);
    const compiled = engine.compile(
      ({ z, noise }: { z: tf.Tensor; noise: tf.Tensor[] }) => ({
        image: image({ z: z as tf.Tensor2D, noise: noise as tf.Tensor4D[] }),
      }),
      { name: `time of ${subject}` },
    );
    const inputs: { z: HostArray; noise: HostArray[] } = {
      z: latents.z(0, 1),
      noise: latents.noise(0, 1),
    };
    const memory = watchMemory();
    const run = async () => void await compiled(inputs);
    for (let i = 0; i < WARM_UP; i++) {
      await run();
      memory.look();
    }
    entries.push({ subject, run, dispose: compiled.dispose, peak: memory.growthBytes() });
    tick(1);
  }
  const times = entries.map(() => new Float64Array(runs));
  for (let i = 0; i < runs; i++) {
    for (const [k, { run }] of entries.entries()) {
      const start = performance.now();
      await run();
      times[k]![i] = performance.now() - start;
      tick(1);
    }
  }
  for (const { dispose } of entries) await dispose();
  return entries.map(({ subject, peak }, k) => {
    const sorted = times[k]!.sort();
    const at = (share: number) => sorted[Math.round(share * (runs - 1))]!;
    return {
      metric: "time",
      subject,
      values: {
        ms: at(0.5),
        ms_low: at(0.1),
        ms_high: at(0.9),
        peak_mb: peak / 2 ** 20,
      },
    };
  });
}
