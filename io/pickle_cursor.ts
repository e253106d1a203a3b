/**
 * Reads a pickle's opcodes and their arguments forward, a window at a time.
 *
 * @module
 */
import type { PickleBytes } from "./pickle_values.ts";
import { type RandomAccess, unreadable } from "./random_access.ts";

const maximumTextBytes = 2 ** 25;
const maximumLineBytes = 2 ** 16;
const maximumIntegerBytes = 256;
const windowBytes = 2 ** 16;

const newline = 10;

const latin1 = new TextDecoder("latin1");
const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads forward through the opcodes, a window at a time. */
export class Cursor {
  at: number;
  #window = new DataView(new ArrayBuffer(0));
  #windowStart = 0;
  #textBytes = 0;

  constructor(readonly access: RandomAccess, offset: number) {
    this.at = offset;
  }

  fail(expected: string, received: string, at = this.at): SyntaxError {
    return unreadable(this.access, Math.min(at, this.access.size), expected, received);
  }

  /** Refuses a file that ends before so many more bytes. */
  expect(length: number, what: string): void {
    const rest = Math.max(0, this.access.size - this.at);
    if (length > rest) throw this.fail(what, `${rest} bytes of a cut-off file`);
  }

  /** Moves past the next bytes and gives their place in the window. */
  #take(length: number): number {
    let place = this.at - this.#windowStart;
    if (place < 0 || place + length > this.#window.byteLength) {
      this.expect(length, `${length} more bytes of a pickle`);
      const rest = this.access.size - this.at;
      const bytes = this.access.read(this.at, Math.min(Math.max(length, windowBytes), rest));
      this.#window = new DataView(bytes.buffer);
      this.#windowStart = this.at;
      place = 0;
    }
    this.at += length;
    return place;
  }

  // Each place first: taking it may exchange the window.
  uint8(): number {
    const place = this.#take(1);
    return this.#window.getUint8(place);
  }
  uint16(): number {
    const place = this.#take(2);
    return this.#window.getUint16(place, true);
  }
  uint32(): number {
    const place = this.#take(4);
    return this.#window.getUint32(place, true);
  }
  int32(): number {
    const place = this.#take(4);
    return this.#window.getInt32(place, true);
  }
  float64(): number {
    const place = this.#take(8);
    return this.#window.getFloat64(place, false);
  }
  /** A length of 64 bits; beyond 2^53 it is rounded, and never lies inside a file. */
  uint64(): number {
    const low = this.uint32();
    return low + this.uint32() * 2 ** 32;
  }

  /** A view of the next bytes; valid until the next call. */
  raw(length: number): Uint8Array {
    this.#textBytes += length;
    if (this.#textBytes > maximumTextBytes) {
      throw this.fail(`at most ${maximumTextBytes} bytes of text in a pickle`, "more");
    }
    const place = this.#take(length);
    return new Uint8Array(this.#window.buffer, place, length);
  }

  string(length: number): string {
    const at = this.at;
    const raw = this.raw(length);
    try {
      return text.decode(raw);
    } catch {
      throw this.fail("a string in UTF-8", "other bytes", at);
    }
  }

  bytes(length: number): PickleBytes {
    this.expect(length, `${length} more bytes of an array`);
    const access = this.access.slice(this.at, length);
    this.at += length;
    return { kind: "bytes", access };
  }

  /** Text to the end of the line, whose bytes are characters. */
  line(): string {
    const start = this.at;
    let length = 0;
    while (this.uint8() !== newline) {
      if (++length > maximumLineBytes) {
        throw this.fail(`a line of at most ${maximumLineBytes} bytes`, "a longer one", start);
      }
    }
    this.at = start;
    const line = latin1.decode(this.raw(length));
    this.at++;
    return line;
  }

  /** A two's complement little-endian integer of any length. */
  integer(length: number): number | bigint {
    if (length > maximumIntegerBytes) {
      throw this.fail(`an integer of at most ${maximumIntegerBytes} bytes`, `${length} bytes`);
    }
    let value = 0n;
    const bytes = this.raw(length);
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
    return narrow(length ? BigInt.asIntN(8 * length, value) : 0n);
  }
}

/** A number where it is exact, else a bigint. */
export function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
