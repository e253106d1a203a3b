/**
 * PyTorch's tensors as a file describes them: a view (offset, shape, strides) of a storage, whose
 * bytes stay in the file until they are read.
 *
 * @module
 */
import type { HostArray } from "../core/contracts.ts";
import { gather, rowMajor } from "../core/strided.ts";
import type { RandomAccess } from "./random_access.ts";
import { unreadable } from "./random_access.ts";

/** How each type is read: bytes per element, and float32 from a buffer of them. */
const decoders = {
  float64: { bytes: 8, decode: (buffer) => new Float32Array(new Float64Array(buffer)) },
  float32: { bytes: 4, decode: (buffer) => new Float32Array(buffer) },
  float16: { bytes: 2, decode: (buffer) => new Float32Array(new Float16Array(buffer)) },
  // The upper half of a float32.
  bfloat16: {
    bytes: 2,
    decode: (buffer) =>
      new Float32Array(Uint32Array.from(new Uint16Array(buffer), (half) => half << 16).buffer),
  },
  int64: { bytes: 8, decode: (buffer) => Float32Array.from(new BigInt64Array(buffer), Number) },
  uint64: { bytes: 8, decode: (buffer) => Float32Array.from(new BigUint64Array(buffer), Number) },
  int32: { bytes: 4, decode: (buffer) => new Float32Array(new Int32Array(buffer)) },
  uint32: { bytes: 4, decode: (buffer) => new Float32Array(new Uint32Array(buffer)) },
  int16: { bytes: 2, decode: (buffer) => new Float32Array(new Int16Array(buffer)) },
  uint16: { bytes: 2, decode: (buffer) => new Float32Array(new Uint16Array(buffer)) },
  int8: { bytes: 1, decode: (buffer) => new Float32Array(new Int8Array(buffer)) },
  uint8: { bytes: 1, decode: (buffer) => new Float32Array(new Uint8Array(buffer)) },
  bool: {
    bytes: 1,
    decode: (buffer) => Float32Array.from(new Uint8Array(buffer), (byte) => byte ? 1 : 0),
  },
} satisfies Record<string, { bytes: number; decode: (buffer: ArrayBuffer) => Float32Array }>;

/** Type of the elements of a storage. */
export type TorchDtype = keyof typeof decoders;

/** Bytes of one element. */
export function bytesOf(dtype: TorchDtype): number {
  return decoders[dtype].bytes;
}

/** Whether tensors of that type can be read. */
export function isTorchDtype(name: string): name is TorchDtype {
  return Object.hasOwn(decoders, name);
}

/** A row of elements that tensors are views of; several may share one. */
export interface TorchStorage {
  readonly kind: "storage";
  readonly dtype: TorchDtype;
  /** Elements. */
  readonly size: number;
  readonly littleEndian: boolean;
  /** Its bytes; found when first asked for. */
  open(): RandomAccess;
}

/** A tensor: which elements of its storage, in which order. */
export interface TorchTensor {
  readonly kind: "tensor";
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** Whether a value of a file is a storage. */
export function isStorage(value: unknown): value is TorchStorage {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "storage";
}
/** Whether a value of a file is a tensor. */
export function isTensor(value: unknown): value is TorchTensor {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "tensor";
}

const maximumRank = 16;
/** A tensor may show elements of its storage again (stride 0), but not fill the memory with them. */
const maximumRepeated = 2 ** 20;

/** Number of elements of a shape. */
export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= maximumRank &&
  value.every((size) => Number.isSafeInteger(size) && size >= 0);

/** The element after the last one that a view reaches. */
function reach(offset: number, shape: readonly number[], strides: readonly number[]): number {
  if (countOf(shape) === 0) return offset;
  return shape.reduce((end, size, axis) => end + (size - 1) * strides[axis]!, offset + 1);
}

/**
 * A view of a storage.
 *
 * @throws what `fail` makes, when it reaches outside of its storage
 */
export function makeTensor(
  storage: TorchStorage,
  view: { readonly offset: unknown; readonly shape: unknown; readonly strides: unknown },
  fail: (expected: string, received: string) => Error,
): TorchTensor {
  const { offset, shape, strides } = view;
  if (!isCounts(shape) || !isCounts(strides) || !isCounts([offset])) {
    throw fail(
      `a tensor's offset, shape and strides of at most ${maximumRank} axes`,
      "other values",
    );
  }
  if (shape.length !== strides.length) {
    throw fail(`${shape.length} strides for shape [${shape}]`, `${strides.length}`);
  }
  const end = reach(offset as number, shape, strides);
  if (!(end <= storage.size)) {
    throw fail(`a tensor inside its storage of ${storage.size} elements`, `one to ${end}`);
  }
  if (countOf(shape) > storage.size + maximumRepeated) {
    throw fail(`a tensor of at most ${storage.size + maximumRepeated} elements`, `[${shape}]`);
  }
  return { kind: "tensor", storage, offset: offset as number, shape, strides };
}

function swapBytes(bytes: Uint8Array, size: number): void {
  for (let i = 0; i + size <= bytes.length; i += size) bytes.subarray(i, i + size).reverse();
}

/**
 * Reads a tensor's elements as float32 in row-major order; of the file, no more than they span.
 *
 * @throws {SyntaxError} when the file is cut off or damaged there
 */
export function readTensor({ storage, offset, shape, strides }: TorchTensor): HostArray {
  const count = countOf(shape);
  if (count === 0) return { shape, data: new Float32Array(0) };
  const { bytes: size, decode } = decoders[storage.dtype];
  const access = storage.open();
  if (access.size < storage.size * size) {
    throw unreadable(access, 0, `${storage.size * size} bytes of tensors`, `${access.size}`);
  }
  const span = reach(offset, shape, strides) - offset;
  const bytes = access.read(offset * size, span * size);
  if (!storage.littleEndian && size > 1) swapBytes(bytes, size);
  const elements = decode(bytes.buffer);
  const standard = rowMajor(shape);
  const plain = shape.every((length, axis) => length === 1 || strides[axis] === standard[axis]);
  return { shape, data: plain ? elements : gather(elements, shape, strides) };
}
