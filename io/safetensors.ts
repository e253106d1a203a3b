/**
 * Named arrays in one file, as everyone's tools exchange weights: the safetensors format.
 *
 * @module
 */
import type { HostArray } from "../core/contracts.ts";
import { writeFileAtomic } from "./atomic_write.ts";
import { describe, messageOf, quote } from "./describe.ts";
import { bytesAccess, type OpenFile, openFile, type RandomAccess } from "./random_access.ts";
import { DECODERS, DTYPE_BYTES } from "./safetensors_dtype.ts";
import {
  parseHeader,
  parsePrefix,
  PREFIX_BYTES,
  type Refuse,
  refuser,
  type SafetensorsHeader,
} from "./safetensors_header.ts";

/** What a safetensors file holds. */
export interface Safetensors {
  /** The arrays by name, in the order of their names. */
  readonly tensors: Readonly<Record<string, HostArray>>;
  /** Texts by name, as the writer left them. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** How {@linkcode writeSafetensors} writes. */
export interface SafetensorsOptions {
  /** Texts by name, kept in the header. Default: none. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Type of every array in the file; `F16` halves it and keeps 11 bits. Default: `F32`. */
  readonly dtype?: "F32" | "F16";
}

const HEADER_ALIGNMENT = 8;
const F16_OVERFLOW = 65520; // halfway from the largest finite float16 to the next power of two

const compare = (a: string, b: string) => a < b ? -1 : a > b ? 1 : 0; // code units: no locale

function readHeader(
  access: RandomAccess,
  refuse: Refuse,
): SafetensorsHeader & { dataStart: number } {
  const prefix = access.read(0, Math.min(PREFIX_BYTES, access.size));
  const dataStart = PREFIX_BYTES + parsePrefix(prefix, access.size, refuse);
  const header = access.read(PREFIX_BYTES, dataStart - PREFIX_BYTES);
  return { ...parseHeader(header, access.size - dataStart, refuse), dataStart };
}

/**
 * Reads named arrays from a file that is open, one after the other: memory holds its content once.
 *
 * @throws as {@linkcode readSafetensors}
 */
export function readSafetensorsFrom(access: RandomAccess): Safetensors {
  const { entries, metadata, dataStart } = readHeader(access, refuser(access.name));
  const arrays = entries.map(({ name, dtype, shape, begin, end }) => {
    const { buffer } = access.read(dataStart + begin, end - begin);
    return [name, { shape, data: DECODERS[dtype](buffer) }] as const;
  });
  arrays.sort(([a], [b]) => compare(a, b));
  // `fromEntries` makes own properties, so that a tensor called "__proto__" is only a name.
  return { tensors: Object.fromEntries(arrays), metadata };
}

/**
 * Reads named arrays from the bytes of a safetensors file.
 *
 * Every type of the format up to 64 bits becomes float32 (rounded to nearest; booleans are 0 and
 * 1). The header is checked as a whole before the first array is made.
 *
 * @param options `name`: what error messages call the file
 * @throws {SyntaxError} if the header is cut off, no JSON, or holds a key twice
 * @throws {TypeError} if the header has a value of the wrong kind
 * @throws {RangeError} if a type is unknown, a shape or offset is wrong, tensors overlap or leave a
 *   gap, or the data end too early or too late
 */
export function readSafetensors(
  bytes: Uint8Array,
  { name = "bytes" }: { readonly name?: string } = {},
): Safetensors {
  return readSafetensorsFrom(bytesAccess(bytes, name));
}

function open(path: string): OpenFile {
  try {
    return openFile(path);
  } catch (error) {
    throw refuser(path)(Error, "a file that can be opened", quote(messageOf(error)));
  }
}

/**
 * Reads a safetensors file.
 *
 * @throws {Error} if the file cannot be opened; else as {@linkcode readSafetensors}
 */
// deno-lint-ignore require-await -- a promise, so that reading can leave this thread one day
export async function readSafetensorsFile(path: string): Promise<Safetensors> {
  using file = open(path);
  return readSafetensorsFrom(file);
}

/**
 * Reads only the header of a safetensors file, and checks that the file is as long as it says.
 *
 * @throws {Error} if the file cannot be opened; else as {@linkcode readSafetensors}
 */
// deno-lint-ignore require-await -- as above
export async function inspectSafetensorsFile(path: string): Promise<SafetensorsHeader> {
  using file = open(path);
  const { entries, metadata } = readHeader(file, refuser(path));
  return { entries, metadata };
}

function checkArray(name: string, { shape, data }: HostArray): void {
  const what = `Cannot write safetensors: expected ${quote(name)}`;
  if (!name.isWellFormed() || name === "__metadata__") {
    const rule = 'to be well-formed Unicode and not "__metadata__"';
    throw new RangeError(
      `Cannot write safetensors: expected names ${rule} but received ${quote(name)}`,
    );
  }
  if (!(data instanceof Float32Array)) {
    throw new TypeError(`${what} to be a Float32Array but received ${describe(typeof data)}`);
  }
  const size = shape.reduce((product, length) => product * length, 1);
  if (
    !shape.every((length) => Number.isSafeInteger(length) && length >= 0) || size !== data.length
  ) {
    const received = `${data.length} numbers for shape [${shape.join(", ")}]`;
    throw new RangeError(`${what} to fill its shape but received ${received}`);
  }
}

function toFloat16(name: string, data: Float32Array): Uint8Array {
  const lost = data.find((value) => Math.abs(value) >= F16_OVERFLOW && Number.isFinite(value));
  if (lost !== undefined) {
    throw new RangeError(
      `Cannot write safetensors: expected ${quote(name)} to lie within the range of float16 ` +
        `(below ${F16_OVERFLOW}) but received ${lost}; use dtype "F32"`,
    );
  }
  return new Uint8Array(new Float16Array(data).buffer);
}

function encode(name: string, { data }: HostArray, dtype: "F32" | "F16"): Uint8Array {
  if (dtype === "F16") return toFloat16(name, data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function checkMetadata(metadata: Readonly<Record<string, string>>): void {
  for (const [key, text] of Object.entries(metadata)) {
    if (typeof text !== "string") {
      const rule = `metadata ${quote(key)} to be text`;
      throw new TypeError(
        `Cannot write safetensors: expected ${rule} but received ${describe(text)}`,
      );
    }
  }
}

function encodeHeader(fields: readonly (readonly [string, unknown])[]): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(fields)));
  const length = Math.ceil(json.length / HEADER_ALIGNMENT) * HEADER_ALIGNMENT;
  const header = new Uint8Array(PREFIX_BYTES + length).fill(0x20); // padded with spaces
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, PREFIX_BYTES);
  return header;
}

/** The file in pieces: the header, then each array in the order of names. F32 is not copied. */
function encodeAll(
  tensors: Readonly<Record<string, HostArray>>,
  { metadata = {}, dtype = "F32" }: SafetensorsOptions,
): readonly Uint8Array[] {
  if (dtype !== "F32" && dtype !== "F16") {
    const rule = 'dtype "F32" or "F16"';
    throw new RangeError(
      `Cannot write safetensors: expected ${rule} but received ${describe(dtype)}`,
    );
  }
  checkMetadata(metadata);
  const fields: [string, unknown][] = [];
  const texts = Object.entries(metadata).sort(([a], [b]) => compare(a, b));
  if (texts.length > 0) fields.push(["__metadata__", Object.fromEntries(texts)]);
  const arrays = Object.entries(tensors).sort(([a], [b]) => compare(a, b));
  let end = 0;
  for (const [name, array] of arrays) {
    checkArray(name, array);
    const begin = end;
    end += array.data.length * DTYPE_BYTES[dtype];
    fields.push([name, { dtype, shape: array.shape, data_offsets: [begin, end] }]);
  }
  return [encodeHeader(fields), ...arrays.map(([name, array]) => encode(name, array, dtype))];
}

/**
 * Writes named arrays as the bytes of a safetensors file.
 *
 * The same arrays and metadata give the same bytes, whatever their order. Float16 rounds to the
 * nearest.
 *
 * @throws {TypeError} if an array is no `Float32Array` or metadata are no texts
 * @throws {RangeError} if an array does not fill its shape, a name cannot be written, or a number
 *   is too large for float16
 */
export function writeSafetensors(
  tensors: Readonly<Record<string, HostArray>>,
  options: SafetensorsOptions = {},
): Uint8Array<ArrayBuffer> {
  const chunks = encodeAll(tensors, options);
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

/**
 * Writes a safetensors file so that its name always holds the old or the new content, whole.
 *
 * @throws {Error} if the file cannot be written; else as {@linkcode writeSafetensors}
 */
export async function writeSafetensorsFile(
  path: string,
  tensors: Readonly<Record<string, HostArray>>,
  options: SafetensorsOptions = {},
): Promise<void> {
  await writeFileAtomic(path, encodeAll(tensors, options));
}
