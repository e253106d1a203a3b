/**
 * The header of a safetensors file, read with distrust: 8 bytes of length (little-endian), then
 * JSON that places every tensor in the data behind it.
 *
 * Source of the rules: the format section of the safetensors README (no gaps, no overlaps, no
 * duplicate keys, 100 MB at most).
 *
 * @module
 */
import { describe, messageOf, quote } from "./describe.ts";
import { type Dtype, DTYPE_BYTES } from "./safetensors_dtype.ts";

/** Bytes before the header: its length as an unsigned 64-bit integer. */
export const PREFIX_BYTES = 8;

/** The format's own limit. */
const MAX_HEADER_BYTES = 100_000_000;

/** Where a tensor lies. `begin` and `end` count bytes from the end of the header. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** A header that was checked. */
export interface SafetensorsHeader {
  /** In the order of the data. */
  readonly entries: readonly TensorEntry[];
  readonly metadata: Readonly<Record<string, string>>;
}

type ErrorClass = new (message: string) => Error;

/** Makes the errors of one file: `Cannot read safetensors "name": expected … but received …`. */
export type Refuse = (kind: ErrorClass, expected: string, received: string) => Error;

/** The errors of the file of that name. */
export function refuser(name: string): Refuse {
  const what = `safetensors ${quote(name)}`;
  return (Kind, expected, received) =>
    new Kind(`Cannot read ${what}: expected ${expected} but received ${received}`);
}

/** The header's length in bytes, from the first 8 bytes of a file of `fileBytes` bytes. */
export function parsePrefix(prefix: Uint8Array, fileBytes: number, refuse: Refuse): number {
  if (prefix.length < PREFIX_BYTES) {
    throw refuse(SyntaxError, `at least ${PREFIX_BYTES} bytes`, `${prefix.length}`);
  }
  const length = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    const received = `a length of ${length}; this may be a file of another format`;
    throw refuse(SyntaxError, `a header of at most ${MAX_HEADER_BYTES} bytes`, received);
  }
  if (PREFIX_BYTES + Number(length) > fileBytes) {
    const received = `a file that ends after ${fileBytes - PREFIX_BYTES} of them`;
    throw refuse(SyntaxError, `a header of ${length} bytes`, received);
  }
  return Number(length);
}

/** Where the string that begins at `start` in valid JSON ends: after its closing quote. */
function endOfString(json: string, start: number): number {
  let i = start + 1;
  while (json[i] !== '"') i += json[i] === "\\" ? 2 : 1;
  return i + 1;
}

/** Throws at a key that an object holds twice: `JSON.parse` drops the first silently. */
function refuseDuplicateKeys(json: string, refuse: Refuse): void {
  const open: Set<string>[] = []; // the keys of the objects around this place
  for (let i = 0; i < json.length; i++) {
    if (json[i] === "{") open.push(new Set());
    else if (json[i] === "}") open.pop();
    if (json[i] !== '"') continue;
    const start = i;
    i = endOfString(json, start);
    const text = json.slice(start, i);
    while (/\s/.test(json[i] ?? "")) i++;
    if (json[i] !== ":") i--; // a value, not a key: what follows may be a brace
    else {
      const key = JSON.parse(text) as string;
      const keys = open.at(-1)!;
      if (keys.has(key)) throw refuse(SyntaxError, "every key once", `${quote(key)} twice`);
      keys.add(key);
    }
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function parseText(bytes: Uint8Array, refuse: Refuse): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refuse(SyntaxError, "a header of UTF-8 text", "other bytes");
  }
}

function parseJson(json: string, refuse: Refuse): Readonly<Record<string, unknown>> {
  let header: unknown;
  try {
    header = JSON.parse(json);
  } catch (error) {
    const position = /at position (\d+)/.exec(messageOf(error))?.[1];
    const received = position === undefined ? quote(json) : `other text at character ${position}`;
    throw refuse(SyntaxError, "a header of JSON", received);
  }
  if (!isRecord(header)) throw refuse(TypeError, "a header of names", describe(header));
  return header;
}

function parseMetadata(value: unknown, refuse: Refuse): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (!isRecord(value)) throw refuse(TypeError, '"__metadata__" to be an object', describe(value));
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") {
      throw refuse(TypeError, `text as "__metadata__" of ${quote(key)}`, describe(text));
    }
  }
  return value as Readonly<Record<string, string>>;
}

function parseEntry(name: string, value: unknown, dataBytes: number, refuse: Refuse): TensorEntry {
  const of = `of ${quote(name)}`;
  if (!isRecord(value)) throw refuse(TypeError, `an object ${of}`, describe(value));
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string" || !Object.hasOwn(DTYPE_BYTES, dtype)) {
    const known = Object.keys(DTYPE_BYTES).join(", ");
    throw refuse(RangeError, `a dtype ${of} that is one of ${known}`, describe(dtype));
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    throw refuse(RangeError, `a shape ${of} of whole numbers`, describe(shape));
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw refuse(RangeError, `data_offsets ${of} of two whole numbers`, describe(offsets));
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > dataBytes) {
    throw refuse(RangeError, `data_offsets ${of} within ${dataBytes} bytes`, describe(offsets));
  }
  const bytes = shape.reduce((product, size) => product * size, DTYPE_BYTES[dtype as Dtype]);
  if (end - begin !== bytes) {
    const expected = `${bytes} bytes ${of} (${dtype}, shape ${describe(shape)})`;
    throw refuse(RangeError, expected, `data_offsets ${describe(offsets)}`);
  }
  return { name, dtype: dtype as Dtype, shape, begin, end };
}

/** Throws unless the tensors cover the data from its first to its last byte, each byte once. */
function refuseGaps(entries: readonly TensorEntry[], dataBytes: number, refuse: Refuse): void {
  let covered = 0;
  let previous = "the header";
  for (const { name, begin, end } of entries) {
    if (begin !== covered) {
      const expected = `${quote(name)} to begin at byte ${covered}, right after ${previous},`;
      throw refuse(
        RangeError,
        expected,
        `${begin}, which leaves ${begin < covered ? "an overlap" : "a gap"}`,
      );
    }
    covered = end;
    previous = quote(name);
  }
  if (covered !== dataBytes) {
    throw refuse(RangeError, `${covered} bytes of data`, `${dataBytes}`);
  }
}

/**
 * Parses and checks a header.
 *
 * @param bytes the JSON
 * @param dataBytes how many bytes follow it in the file
 * @throws {SyntaxError} if it is no JSON or holds a key twice
 * @throws {TypeError} if a value is of the wrong kind
 * @throws {RangeError} if a dtype is unknown, a shape or offset is wrong, tensors overlap or leave
 *   a gap, or the data end too early or too late
 */
export function parseHeader(
  bytes: Uint8Array,
  dataBytes: number,
  refuse: Refuse,
): SafetensorsHeader {
  const json = parseText(bytes, refuse);
  const { __metadata__: metadata, ...tensors } = parseJson(json, refuse);
  const entries = Object.entries(tensors)
    .map(([name, value]) => parseEntry(name, value, dataBytes, refuse))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  refuseGaps(entries, dataBytes, refuse);
  const texts = parseMetadata(metadata, refuse);
  refuseDuplicateKeys(json, refuse);
  return { entries, metadata: texts };
}
