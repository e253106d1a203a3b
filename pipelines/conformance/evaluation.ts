import * as tf from "@tensorflow/tfjs";
import type { HostArray, Params, Weights } from "../../core/contracts.ts";
import { createRandom, type GraphRandom, type Random } from "../../core/random.ts";
import type { Engine } from "../../engine/mod.ts";
import { type Case, normal } from "./case.ts";
import { fail } from "./expect.ts";

/** The arrays that a case is run with. */
export interface Arrays {
  readonly weights: Weights;
  readonly inputs: Weights;
}

interface Tensors {
  readonly weights: Params;
  readonly inputs: Params;
}

/** What a case gives on one engine. */
export interface Evaluation {
  readonly output: HostArray;
  /** The gradients of the output's projection by `weights.{name}` and `inputs.{name}`. */
  readonly gradients: Weights;
  readonly projection: HostArray;
}

/** A case on one engine. */
export interface Evaluator {
  /** @param random The same numbers at every run, if absent. */
  output(arrays: Arrays, random?: Random): Promise<HostArray>;
  evaluate(arrays: Arrays): Promise<Evaluation>;
  dispose(): Promise<void>;
}

/** All floating-point numbers that a case depends on, by `weights.{name}` and `inputs.{name}`. */
export function targetsOf({ trained, through }: Case): string[] {
  return [
    ...trained.map((name) => `weights.${name}`),
    ...through.map((name) => `inputs.${name}`),
  ];
}

function apply(part: Case, { weights, inputs }: Tensors, random: GraphRandom): tf.Tensor {
  const output = part.apply(weights, inputs, random);
  for (const [name, tensor] of [...Object.entries(weights), ...Object.entries(inputs)]) {
    if (tensor.isDisposed) fail(`"${name}" to be left alone`, "it disposed");
  }
  return output;
}

/** The same numbers at every run: a run differs from another by what it was given. */
export function caseRandom(): Random {
  return createRandom(1, "conformance");
}

/** Compiles a case. */
export function evaluatorOf(part: Case, engine: Engine, name: string): Evaluator {
  const forward = engine.compile(
    (tensors: Tensors, { random }) => ({ output: apply(part, tensors, random) }),
    { name },
  );
  const targets = targetsOf(part);
  const backward = engine.compile(
    ({ weights, inputs, projection }: Tensors & { projection: tf.Tensor }, { random }) => {
      const given = targets.map((target) => {
        const [group, name] = split(target);
        return (group === "weights" ? weights : inputs)[name]!;
      });
      const projected = (...tensors: tf.Tensor[]) => {
        const at = (group: string) =>
          Object.fromEntries(
            targets.map((target, i) => [target, tensors[i]!] as const)
              .filter(([target]) => split(target)[0] === group)
              .map(([target, tensor]) => [split(target)[1], tensor]),
          );
        const moved = {
          weights: { ...weights, ...at("weights") },
          inputs: { ...inputs, ...at("inputs") },
        };
        const value = tf.sum(tf.mul(apply(part, moved, random), projection));
        // tfjs refuses tensors that the value does not depend on; this way their gradient is 0.
        const nothing = tensors.map((tensor) => tf.mul(tf.sum(tensor), 0));
        return tf.addN([value, ...nothing]);
      };
      const gradients = tf.grads(projected)(given);
      return Object.fromEntries(targets.map((target, i) => [target, gradients[i]!]));
    },
    { name: `${name}, gradients` },
  );
  const output = async (arrays: Arrays, random = caseRandom()) =>
    (await forward(arrays, { random })).output;
  return {
    output,
    async evaluate(arrays) {
      const result = await output(arrays);
      const projection = normal("projection", result.shape);
      const gradients = targets.length === 0
        ? {}
        : await backward({ ...arrays, projection }, { random: caseRandom() });
      return { output: result, gradients, projection };
    },
    async dispose() {
      await forward.dispose();
      await backward.dispose();
    },
  };
}

function split(target: string): [group: string, name: string] {
  const dot = target.indexOf(".");
  return [target.slice(0, dot), target.slice(dot + 1)];
}

/** The arrays with one of them moved by `step` along `direction`. */
export function movedAlong(
  { weights, inputs }: Arrays,
  target: string,
  direction: Float32Array,
  step: number,
): Arrays {
  const [group, name] = split(target);
  const change = (arrays: Weights): Weights => {
    const { shape, data } = arrays[name]!;
    return { ...arrays, [name]: { shape, data: data.map((x, i) => x + step * direction[i]!) } };
  };
  return group === "weights"
    ? { weights: change(weights), inputs }
    : { weights, inputs: change(inputs) };
}
