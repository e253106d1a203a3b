/**
 * Recording: TensorFlow.js kernels that infer shapes and append to a program instead of computing.
 * TensorFlow.js's own automatic differentiation runs on the recorded tensors unchanged.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import leven from "leven";
import type { GraphRandom } from "../core/random.ts";
import { builtInRules, unsupportedKernels } from "./kernels/mod.ts";
import type { Draw, Program } from "./program.ts";
import { isComposed, type NamedInputs, type Rule, type TensorType } from "./rule.ts";
import { type Recording, TracingBackend } from "./tracing_backend.ts";

/** Name of the backend in TensorFlow.js's registry. */
export const TRACING_BACKEND = "haarlem-tracing";

/** What a traced function is given besides its inputs. */
export interface TraceContext {
  readonly random: GraphRandom;
}

/** Registers the backend and its kernels at the first use. */
const tracingBackend: () => TracingBackend = (() => {
  let backend: TracingBackend | undefined;
  return () => {
    if (backend) return backend;
    const made = backend = new TracingBackend();
    tf.registerBackend(TRACING_BACKEND, () => made, 0);
    for (const rule of builtInRules) registerRule(made, rule);
    register("Identity", ({ inputs }) => made.alias(inputs["x"] as tf.TensorInfo));
    return made;
  };
})();

function register(kernelName: string, kernelFunc: tf.KernelFunc): void {
  tf.registerKernel({ kernelName, backendName: TRACING_BACKEND, kernelFunc });
}

function registerRule(backend: TracingBackend, rule: Rule): void {
  const { kernel } = rule;
  /** Names the kernel and the traced function where a rule refuses its inputs. */
  const named = <T>(run: () => T): T => {
    try {
      return run();
    } catch (error) {
      const refused = error instanceof RangeError && !error.message.startsWith('Cannot trace "');
      if (!refused) throw error;
      const sentence = error.message.slice(error.message.indexOf(": ") + 2);
      throw new RangeError(`Cannot trace "${kernel}" in "${backend.name}": ${sentence}`, {
        cause: error,
      });
    }
  };
  if (isComposed(rule)) {
    register(kernel, ({ inputs, attrs }) => {
      const made = named(() => rule.compose(inputs as unknown as NamedInputs, { ...attrs }));
      return Array.isArray(made)
        ? made.map((tensor) => backend.alias(tensor))
        : backend.alias(made as tf.Tensor);
    });
    return;
  }
  register(kernel, ({ inputs, attrs }) => {
    const byName = inputs as Readonly<Record<string, tf.TensorInfo>>;
    const list = rule.inputs === "..." || Array.isArray(inputs)
      ? Object.values(byName)
      : rule.inputs.map((name) => byName[name]!);
    const attributes = { ...attrs };
    const inferred = named(() => rule.infer(list as unknown as TensorType[], attributes));
    const many = Array.isArray(inferred);
    const infos = (many ? inferred as TensorType[] : [inferred as TensorType])
      .map(({ shape, dtype }) => backend.add({ shape, dtype }));
    backend.append({
      kernel,
      inputs: list.map((info) => backend.idOf(info)),
      attributes,
      outputs: infos.map((info) => backend.idOf(info)),
    });
    return many ? infos : infos[0]!;
  });
}

/** Makes the rules of an engine's owner known while a function runs. */
function withRules<T>(backend: TracingBackend, rules: readonly Rule[], run: () => T): T {
  const hidden = rules.map(({ kernel }) => tf.getKernel(kernel, TRACING_BACKEND));
  rules.forEach((rule, i) => {
    if (hidden[i]) tf.unregisterKernel(rule.kernel, TRACING_BACKEND);
    registerRule(backend, rule);
  });
  try {
    return run();
  } finally {
    rules.forEach(({ kernel }, i) => {
      tf.unregisterKernel(kernel, TRACING_BACKEND);
      if (hidden[i]) tf.registerKernel(hidden[i]);
    });
  }
}

/**
 * Records a pure function of tensors.
 *
 * Its inputs and outputs are float32: outputs of other types are converted.
 *
 * @param inputs Shapes of the inputs, in order.
 * @param rules Rules besides the built-in ones; they go before those.
 * @throws {Error} If the function meets a kernel without a rule or reads a value.
 */
export function trace(
  name: string,
  inputs: readonly (readonly number[])[],
  fn: (inputs: tf.Tensor[], context: TraceContext) => readonly tf.Tensor[],
  rules: readonly Rule[] = [],
): Program {
  const backend = tracingBackend();
  const before = tf.getBackend();
  const outer = backend.recording;
  const recording: Recording = {
    name,
    values: [],
    ops: [],
    draws: [],
    inputs: [],
    constants: new Map(),
  };
  const input = (shape: readonly number[]) => {
    const info = backend.add({ shape, dtype: "float32" });
    recording.inputs.push(backend.idOf(info));
    return tf.engine().makeTensorFromTensorInfo(info);
  };
  const draw = (shape: readonly number[], distribution: Draw["distribution"], p: number[]) => {
    const tensor = input(shape);
    recording.draws.push({ input: recording.inputs.length - 1, distribution, parameters: p });
    return tensor;
  };
  const random: GraphRandom = {
    normal: (shape, standardDeviation = 1) => draw(shape, "normal", [standardDeviation]),
    uniform: (shape, minimum, maximum) => draw(shape, "uniform", [minimum, maximum]),
  };
  backend.recording = recording;
  tf.setBackend(TRACING_BACKEND);
  try {
    let outputs: number[] = [];
    const run = () => {
      outputs = fn(inputs.map(input), { random }).map((tensor) =>
        backend.idOf(tensor.dtype === "float32" ? tensor : tf.cast(tensor, "float32"))
      );
    };
    withRules(backend, rules, () => tf.tidy(run));
    if (recording.failure) throw recording.failure;
    const { values, ops, draws, inputs: ids } = recording;
    return { name, values, ops, draws, inputs: ids, outputs };
  } catch (error) {
    throw explain(error, name, rules);
  } finally {
    backend.recording = outer;
    if (before) tf.setBackend(before);
  }
}

/** Turns TensorFlow.js's errors into sentences for the author of the function. */
function explain(error: unknown, name: string, rules: readonly Rule[]): unknown {
  const missing = /Kernel '(\w+)' not registered for backend/.exec(String(error))?.[1];
  if (missing) {
    const reason = unsupportedKernels[missing];
    const known = [...builtInRules, ...rules].map(({ kernel }) => kernel);
    const nearestFirst = [...new Set(known)].sort((a, b) =>
      leven(a, missing) - leven(b, missing) || (a < b ? -1 : 1)
    );
    return new RangeError(
      `Cannot trace "${name}": expected kernels that have a rule but received "${missing}"${
        reason ? ` (${reason})` : ""
      }; known kernels, nearest first, are ${nearestFirst.join(", ")}`,
      { cause: error },
    );
  }
  // What TensorFlow.js asserts does not say which of many functions is meant.
  const bare = error instanceof Error && error.name === "Error" &&
    !error.message.startsWith("Cannot trace");
  return bare ? new Error(`Cannot trace "${name}": ${error.message}`, { cause: error }) : error;
}
