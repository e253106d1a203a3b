/**
 * The backend that records: tensors stand for numbers of a program.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Draw, Op, Value } from "./program.ts";
import { sizeOf } from "./rule.ts";

/** What is being recorded. */
export interface Recording {
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

/** Records what is asked of it; its kernels are registered elsewhere. */
export class TracingBackend extends tf.KernelBackend {
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
