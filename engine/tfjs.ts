/**
 * The eager engine on TensorFlow.js: runs functions directly. Slow on the CPU, and the second
 * opinion in tests.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../core/contracts.ts";
import type { GraphRandom, Random } from "../core/random.ts";
import type {
  ArrayTree,
  Compiled,
  CompileOptions,
  Engine,
  StepContext,
  TensorTree,
} from "./engine.ts";
import { simplify } from "./passes/mod.ts";
import { trace } from "./tracing.ts";
import { inputLeaves, isHostArray, isTensor, outputLeaves, rebuild } from "./tree.ts";

type Traced = (inputs: TensorTree, context: StepContext) => TensorTree;

/** Makes the engine on the pure JavaScript backend. */
export function createTfjsEngine(): Engine {
  const compile = (fn: Traced, { name }: CompileOptions): Compiled<ArrayTree, ArrayTree> => {
    const runNow = (inputs: ArrayTree, options: { readonly random?: Random }) => {
      const results: HostArray[] = [];
      let outputs: TensorTree | undefined;
      tf.setBackend("cpu");
      tf.tidy(() => {
        const tensors = rebuild<HostArray, tf.Tensor>(
          inputs,
          isHostArray,
          toTensor(inputLeaves(name, inputs).map(({ leaf }) => leaf)),
        );
        outputs = fn(tensors, { random: eagerRandom(name, options.random) });
        for (const { leaf } of outputLeaves(name, outputs)) {
          results.push({ shape: leaf.shape, data: Float32Array.from(leaf.dataSync()) });
        }
      });
      let next = 0;
      return rebuild<tf.Tensor, HostArray>(outputs!, isTensor, () => results[next++]!);
    };
    const run = (inputs: ArrayTree, options: { readonly random?: Random } = {}) =>
      Promise.resolve().then(() => runNow(inputs, options)); // errors reject, as when compiled
    return Object.assign(run, {
      prepare: () => Promise.resolve(),
      program: (inputs: ArrayTree) => {
        const list = inputLeaves(name, inputs).map(({ leaf }) => leaf);
        return simplify(trace(name, list.map(({ shape }) => shape), (tensors, context) => {
          let next = 0;
          const tree = rebuild<HostArray, tf.Tensor>(inputs, isHostArray, () => tensors[next++]!);
          return outputLeaves(name, fn(tree, context)).map(({ leaf }) => leaf);
        }));
      },
      dispose: () => Promise.resolve(),
    });
  };
  return {
    name: "tfjs",
    device: "cpu",
    threads: 1,
    precision: "f32",
    description: `TensorFlow.js ${tf.version_core} on the CPU, eager, 1 thread`,
    compile: compile as Engine["compile"],
    dispose: () => Promise.resolve(),
  };
}

function toTensor(list: readonly HostArray[]): () => tf.Tensor {
  let next = 0;
  return () => {
    const { shape, data } = list[next++]!;
    return tf.tensor(data, [...shape]);
  };
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
