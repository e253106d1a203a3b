/**
 * The recording backend: TensorFlow.js kernels that infer shapes and append to a program instead of
 * computing. TensorFlow.js's own automatic differentiation runs on the recorded tensors unchanged.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { GraphRandom } from "../core/random.ts";
import { kernelRules } from "./kernels/mod.ts";
import type { Draw, DType, Op, Program, Value } from "./program.ts";
import { type KernelRule, sizeOf, type TensorType } from "./rule.ts";

const BACKEND = "haarlem-tracing";

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
}

class TracingBackend extends tf.KernelBackend {
  readonly data: tf.DataStorage<number> = new tf.DataStorage(this, tf.engine());
  recording: Recording | undefined;

  #current(): Recording {
    if (!this.recording) throw new Error("Cannot trace: no recording is open");
    return this.recording;
  }
  /** Adds a value and returns the tensor info that stands for it. */
  add(value: Value): tf.TensorInfo {
    const dataId = {};
    this.data.set(dataId, this.#current().values.push(value) - 1);
    return { dataId, shape: [...value.shape], dtype: value.dtype };
  }
  append(op: Op): void {
    this.#current().ops.push(op);
  }
  override write(values: tf.BackendValues | null, shape: number[], dtype: tf.DataType): object {
    return this.add(constantValue(values, shape, dtype)).dataId;
  }
  override move(
    dataId: object,
    values: tf.BackendValues,
    shape: number[],
    dtype: tf.DataType,
  ): void {
    const { values: all } = this.#current();
    this.data.set(dataId, all.push(constantValue(values, shape, dtype)) - 1);
  }
  override readSync(dataId: object): tf.BackendValues {
    const { name, values, ops } = this.#current();
    const id = this.data.get(dataId);
    const { constant } = values[id]!;
    if (constant) return constant;
    const producer = ops.find(({ outputs }) => outputs.includes(id))?.kernel ?? "an input";
    throw new Error(
      `Cannot trace "${name}": expected no value to be read but the function reads a result of ${producer}; compute with tensors only, or read outside of the compiled function`,
    );
  }
  override read(dataId: object): Promise<tf.BackendValues> {
    return Promise.resolve().then(() => this.readSync(dataId));
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
  const size = sizeOf(shape);
  const list = (values ?? new Float32Array(size)) as ArrayLike<number>;
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
    tf.registerBackend(BACKEND, () => made, 0);
    for (const rule of kernelRules) registerRule(made, rule);
    tf.registerKernel({
      kernelName: "Identity",
      backendName: BACKEND,
      // A new tensor of the same value: returning the input itself would double its gradient.
      kernelFunc: ({ inputs }) => {
        const { dataId, shape, dtype } = inputs["x"] as tf.TensorInfo;
        return { dataId, shape, dtype };
      },
    });
    return made;
  };
})();

function registerRule(backend: TracingBackend, rule: KernelRule): void {
  tf.registerKernel({
    kernelName: rule.kernel,
    backendName: BACKEND,
    kernelFunc: ({ inputs, attrs }) => {
      const named = inputs as Readonly<Record<string, tf.TensorInfo>>;
      const list = rule.inputs === "..." || Array.isArray(inputs)
        ? Object.values(named)
        : rule.inputs.map((name) => named[name]).filter((info) => info !== undefined);
      const attributes = { ...attrs };
      const inferred = rule.infer(list as unknown as TensorType[], attributes);
      const many = Array.isArray(inferred);
      const infos = (many ? inferred as TensorType[] : [inferred as TensorType])
        .map(({ shape, dtype }) => backend.add({ shape, dtype }));
      backend.append({
        kernel: rule.kernel,
        inputs: list.map((info) => backend.data.get(info.dataId)),
        attributes,
        outputs: infos.map((info) => backend.data.get(info.dataId)),
      });
      return many ? infos : infos[0]!;
    },
  });
}

/**
 * Records a pure function of tensors.
 *
 * @param inputs Shapes of the inputs, in order.
 * @throws {Error} If the function meets a kernel without a rule or reads a value.
 */
export function trace(
  name: string,
  inputs: readonly (readonly number[])[],
  fn: (inputs: tf.Tensor[], context: TraceContext) => readonly tf.Tensor[],
): Program {
  const backend = tracingBackend();
  const before = tf.getBackend();
  const outer = backend.recording;
  const recording: Recording = { name, values: [], ops: [], draws: [], inputs: [] };
  const input = (shape: readonly number[]) => {
    const info = backend.add({ shape, dtype: "float32" });
    recording.inputs.push(backend.data.get(info.dataId));
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
  tf.setBackend(BACKEND);
  try {
    let outputs: number[] = [];
    tf.tidy(() => {
      const tensors = fn(inputs.map(input), { random });
      outputs = tensors.map((tensor) => backend.data.get(tensor.dataId));
    });
    const { values, ops, draws, inputs: ids } = recording;
    return { name, values, ops, draws, inputs: ids, outputs };
  } catch (error) {
    throw explain(error, name);
  } finally {
    backend.recording = outer;
    if (before) tf.setBackend(before);
  }
}

/** Turns TensorFlow.js's "not registered" into a sentence for the author of the function. */
function explain(error: unknown, name: string): unknown {
  const missing = /Kernel '(\w+)' not registered for backend/.exec(String(error))?.[1];
  if (!missing) return error;
  const known = kernelRules.map(({ kernel }) => kernel).sort().join(", ");
  return new RangeError(
    `Cannot trace "${name}": expected kernels that have a rule but received "${missing}"; known kernels are ${known}`,
    { cause: error },
  );
}

/** Whether a dtype of TensorFlow.js can be traced. */
export function isDType(dtype: string): dtype is DType {
  return dtype === "float32" || dtype === "int32" || dtype === "bool";
}
