/**
 * The recording backend: TensorFlow.js kernels that infer shapes and append to a program instead of
 * computing. TensorFlow.js's own automatic differentiation runs on the recorded tensors unchanged.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import leven from "leven";
import type { GraphRandom } from "../core/random.ts";
import { builtInRules, unsupportedKernels } from "./kernels/mod.ts";
import type { Draw, Op, Program, Value } from "./program.ts";
import { isComposed, type NamedInputs, type Rule, sizeOf, type TensorType } from "./rule.ts";

/** Name of the backend in TensorFlow.js's registry. */
export const TRACING_BACKEND = "haarlem-tracing";

/** What a traced function is given besides its inputs. */
export interface TraceContext {
  readonly random: GraphRandom;
}

interface Recording {
  readonly name: string;
  readonly values: Value[];
  readonly ops: Op[];
  readonly draws: Draw[];
  readonly inputs: number[];
  /** What went wrong where it could not be thrown. */
  failure?: Error;
  /** Numbers of this recording for constants, which may be older than it. */
  readonly constants: Map<Value, number>;
}

/** What stands behind a tensor: a value of one recording, or numbers that any recording may use. */
type Entry = { readonly recording: Recording; readonly id: number } | { readonly constant: Value };

class TracingBackend extends tf.KernelBackend {
  readonly data: tf.DataStorage<Entry> = new tf.DataStorage(this, tf.engine());
  recording: Recording | undefined;

  #current(): Recording {
    if (!this.recording) throw new Error("Cannot trace: no recording is open");
    return this.recording;
  }
  get name(): string {
    return this.#current().name;
  }
  /** Adds a value and returns the tensor info that stands for it. */
  add(value: Value): tf.TensorInfo {
    const recording = this.#current();
    const entry = { recording, id: recording.values.push(value) - 1 };
    return this.#info(entry, value.shape, value.dtype);
  }
  /** Another tensor of the same value. Returning a tensor itself would double its gradient. */
  alias({ dataId, shape, dtype }: tf.TensorInfo): tf.TensorInfo {
    return this.#info(this.data.get(dataId), shape, dtype);
  }
  #info(entry: Entry, shape: readonly number[], dtype: tf.DataType): tf.TensorInfo {
    const dataId = {};
    this.data.set(dataId, entry);
    return { dataId, shape: [...shape], dtype };
  }
  /** The number of a tensor's value in the open recording. */
  idOf({ dataId }: tf.TensorInfo): number {
    const { name, values, constants } = this.#current();
    const entry = this.data.get(dataId);
    if ("constant" in entry) {
      let id = constants.get(entry.constant);
      if (id === undefined) constants.set(entry.constant, id = values.push(entry.constant) - 1);
      return id;
    }
    if (entry.recording === this.recording) return entry.id;
    throw new Error(
      `Cannot trace "${name}": expected tensors of its own but received one that was recorded for "${entry.recording.name}"; return it there and pass it as an input`,
    );
  }
  append(op: Op): void {
    this.#current().ops.push(op);
  }
  override write(values: tf.BackendValues | null, shape: number[], dtype: tf.DataType): object {
    return this.#info({ constant: constantValue(values, shape, dtype) }, shape, dtype).dataId;
  }
  override move(
    dataId: object,
    values: tf.BackendValues,
    shape: number[],
    dtype: tf.DataType,
  ): void {
    this.data.set(dataId, { constant: constantValue(values, shape, dtype) });
  }
  override readSync(dataId: object): tf.BackendValues {
    const entry = this.data.get(dataId);
    if ("constant" in entry) return entry.constant.constant!;
    const { recording: { name, ops }, id } = entry;
    const producer = ops.find(({ outputs }) => outputs.includes(id))?.kernel;
    throw new Error(
      `Cannot trace "${name}": expected no value to be read but the function reads ${
        producer ? `a result of "${producer}"` : "an input"
      }; compute with tensors only, or read outside of the compiled function`,
    );
  }
  override read(dataId: object): Promise<tf.BackendValues> {
    try {
      return Promise.resolve(this.readSync(dataId));
    } catch (error) {
      // A rejected promise that nobody awaits would end the process: the trace throws it instead.
      if (this.recording) this.recording.failure ??= error as Error;
      return new Promise(() => {});
    }
  }
  override disposeData(): boolean {
    return true;
  }
  override incRef(): void {}
  decRef(): void {}
  override refCount(): number {
    return 1;
  }
  override numDataIds(): number {
    return 0;
  }
  override floatPrecision(): 16 | 32 {
    return 32;
  }
  override epsilon(): number {
    return 1e-7;
  }
  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }
  override timerAvailable(): boolean {
    return false;
  }
}

function constantValue(
  values: tf.BackendValues | null,
  shape: readonly number[],
  dtype: tf.DataType,
): Value {
  const list = (values ?? new Float32Array(sizeOf(shape))) as ArrayLike<number>;
  if (dtype === "int32") return { shape, dtype, constant: Int32Array.from(list) };
  if (dtype === "bool") return { shape, dtype, constant: Uint8Array.from(list) };
  if (dtype !== "float32") {
    throw new TypeError(
      `Cannot trace a constant: expected float32, int32 or bool but received ${dtype}`,
    );
  }
  return { shape, dtype, constant: list instanceof Float32Array ? list : Float32Array.from(list) };
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
