/**
 * The eager engine on TensorFlow.js: runs functions directly. Slow in pure JavaScript, and the
 * second opinion in tests.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../core/contracts.ts";
import type { GraphRandom, Random } from "../core/random.ts";
import { deviceError } from "./device_error.ts";
import type {
  ArrayTree,
  Compiled,
  CompileOptions,
  DeviceName,
  Engine,
  EngineArray,
  ResidentArray,
  TensorTree,
} from "./engine.ts";
import { findNativeAddon, loadNativeBackend } from "./native.ts";
import { simplify } from "./passes/mod.ts";
import { record, type Traced } from "./record.ts";
import type { Rule } from "./rule.ts";
import {
  branchOf,
  inputLeaves,
  isArray,
  isResidentArray,
  isTensor,
  outlineOf,
  outputLeaves,
  rebuild,
} from "./tree.ts";

/** A backend of TensorFlow.js that is loaded, and what the engine says of it. */
export interface EagerBackend {
  /** Its name in TensorFlow.js's registry. */
  readonly name: string;
  readonly device: DeviceName;
  readonly threads: number;
  readonly description: string;
  /**
   * Watches for errors of the device; what it gives throws those that were met until then, and looks
   * longer where something has failed.
   */
  readonly watch?: () => (hasFailed: boolean) => Promise<void>;
}

/** The backend for a device: on the CPU the native one if it was built, else JavaScript. */
export async function openEagerBackend(
  { device, threads, native = true }: {
    readonly device: DeviceName;
    readonly threads: number;
    readonly native?: boolean | undefined;
  },
): Promise<EagerBackend> {
  if (device === "webgpu") return await (await import("./tfjs_webgpu.ts")).loadWebgpuBackend();
  const addon = native ? findNativeAddon() : undefined;
  if (addon || device === "cuda") return await loadNativeBackend(addon, { device, threads });
  const description = `TensorFlow.js ${tf.version_core} on the CPU, eager, 1 thread`;
  return { name: "cpu", device, threads: 1, description };
}

async function readTensor(tensor: tf.Tensor): Promise<HostArray> {
  return { shape: tensor.shape, data: Float32Array.from(await tensor.data()) };
}

/** An array of the engine: a tensor that is kept. */
class ResidentTensor implements ResidentArray {
  readonly shape: readonly number[];
  /** `guarded` puts errors of the device in words of ours. */
  constructor(
    readonly tensor: tf.Tensor,
    readonly guarded: (read: () => Promise<HostArray>) => Promise<HostArray>,
  ) {
    this.shape = tensor.shape;
  }
  read(): Promise<HostArray> {
    return this.guarded(() => readTensor(this.tensor));
  }
  dispose(): void {
    this.tensor.dispose();
  }
}

/** Makes the engine on a backend. */
export function createTfjsEngine(backend: EagerBackend, rules: readonly Rule[] = []): Engine {
  const staysResident = backend.device !== "cpu";

  /** Computes at once; what is asked for is kept, everything else is freed. */
  const compute = (fn: Traced, inputs: ArrayTree, name: string, random: Random | undefined) => {
    const kept: { readonly path: string; readonly tensor: tf.Tensor }[] = [];
    let outputs: TensorTree | undefined;
    tf.setBackend(backend.name);
    try {
      tf.tidy(() => {
        const list = inputLeaves(name, inputs).map(({ leaf }) => toTensor(name, leaf));
        const foreign = new Set(list); // and what is returned twice: each output is freed by itself
        let next = 0;
        const tensors = rebuild<EngineArray, tf.Tensor>(inputs, isArray, () => list[next++]!);
        outputs = fn(tensors, { random: eagerRandom(name, random) });
        for (const { path, leaf } of outputLeaves(name, outputs)) {
          kept.push({ path, tensor: tf.keep(foreign.has(leaf) ? tf.clone(leaf) : leaf) });
          foreign.add(leaf);
        }
      });
    } catch (error) {
      for (const { tensor } of kept) tensor.dispose();
      throw error;
    } finally {
      tf.setBackend("cpu"); // what host code between compiled steps runs on
    }
    return { kept, outputs: outputs! };
  };

  const compile = (
    fn: Traced,
    { name, resident = [] }: CompileOptions,
  ): Compiled<ArrayTree, ArrayTree> => {
    const stays = (path: string) => staysResident && resident.includes(branchOf(path));
    const guarded = async <T>(compute: () => Promise<T>): Promise<T> => {
      const check = backend.watch?.() ?? (() => Promise.resolve());
      try {
        const result = await compute().catch(async (error) => {
          await check(true);
          throw error;
        });
        await check(false);
        return result;
      } catch (error) {
        throw deviceError(error, { task: name, engine: "tfjs", device: backend.device });
      }
    };
    const results = async (inputs: ArrayTree, random: Random | undefined) => {
      const { kept, outputs } = compute(fn, inputs, name, random);
      const arrays = await Promise.all(kept.map(async ({ path, tensor }) => {
        if (stays(path)) return new ResidentTensor(tensor, guarded);
        try {
          return await readTensor(tensor);
        } finally {
          tensor.dispose();
        }
      }));
      let next = 0;
      return rebuild<tf.Tensor, EngineArray>(outputs, isTensor, () => arrays[next++]!);
    };
    const run = (inputs: ArrayTree, options: { readonly random?: Random } = {}) =>
      Promise.resolve() // errors reject, as when compiled
        .then(() => guarded(() => results(inputs, options.random)));
    const recorded = (inputs: ArrayTree) => record(name, inputs, fn, rules);
    return Object.assign(run, {
      prepare: () => Promise.resolve(),
      outline: (inputs: ArrayTree) => outlineOf(name, recorded(inputs).outputs),
      program: (inputs: ArrayTree) => simplify(recorded(inputs).program),
      dispose: () => Promise.resolve(),
    });
  };
  const { device, threads, description } = backend;
  return {
    name: "tfjs",
    device,
    threads,
    precision: "f32",
    lanes: 1,
    largeBatches: "whole",
    description,
    compile: compile as unknown as Engine["compile"],
    dispose: () => Promise.resolve(),
  };
}

function toTensor(name: string, array: EngineArray): tf.Tensor {
  if (array instanceof ResidentTensor) return array.tensor;
  if (!isResidentArray(array)) return tf.tensor(array.data, [...array.shape]);
  throw new TypeError(
    `Cannot run "${name}": expected arrays of the host or of this engine but received one of another engine's device; await its read() first`,
  );
}

function eagerRandom(name: string, random: Random | undefined): GraphRandom {
  const source = () => {
    if (random) return random;
    throw new TypeError(
      `Cannot run "${name}": expected the option "random" because the function draws random tensors but received none`,
    );
  };
  const lift = ({ shape, data }: HostArray) => tf.tensor(data, [...shape]);
  return {
    normal: (shape, standardDeviation) => lift(source().normal(shape, standardDeviation)),
    uniform: (shape, minimum, maximum) => lift(source().uniform(shape, minimum, maximum)),
  };
}
