/**
 * The element types of safetensors files, and their way to float32.
 *
 * @module
 */

/** Bytes per element of every type that can be read. */
export const DTYPE_BYTES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
} as const;

/** An element type of the format. */
export type Dtype = keyof typeof DTYPE_BYTES;

function widenBfloat16(buffer: ArrayBuffer): Float32Array {
  const bits = Uint32Array.from(new Uint16Array(buffer), (half) => half << 16);
  return new Float32Array(bits.buffer);
}

/** Makes float32 of the little-endian numbers in a buffer. */
export const DECODERS: Readonly<Record<Dtype, (buffer: ArrayBuffer) => Float32Array>> = {
  F64: (buffer) => new Float32Array(new Float64Array(buffer)),
  F32: (buffer) => new Float32Array(buffer),
  F16: (buffer) => new Float32Array(new Float16Array(buffer)),
  BF16: widenBfloat16,
  I64: (buffer) => Float32Array.from(new BigInt64Array(buffer), Number),
  I32: (buffer) => new Float32Array(new Int32Array(buffer)),
  I16: (buffer) => new Float32Array(new Int16Array(buffer)),
  I8: (buffer) => new Float32Array(new Int8Array(buffer)),
  U64: (buffer) => Float32Array.from(new BigUint64Array(buffer), Number),
  U32: (buffer) => new Float32Array(new Uint32Array(buffer)),
  U16: (buffer) => new Float32Array(new Uint16Array(buffer)),
  U8: (buffer) => new Float32Array(new Uint8Array(buffer)),
  BOOL: (buffer) => Float32Array.from(new Uint8Array(buffer), (byte) => byte === 0 ? 0 : 1),
};
