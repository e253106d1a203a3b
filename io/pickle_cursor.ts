/**
 * Reads a pickle's opcodes and their arguments forward, a window at a time.
 *
 * @module
 */
import type { PickleBytes } from "./pickle_values.ts";
import { type RandomAccess, unreadable } from "./random_access.ts";

const maximumTextBytes = 2 ** 26;
const maximumLineBytes = 2 ** 16;
const maximumIntegerBytes = 256;
const windowBytes = 2 ** 16;

const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads forward through the opcodes, a window at a time. */
export class Cursor {
  at: number;
  #window = new Uint8Array(0);
  #windowStart = 0;
  #textBytes = 0;

  constructor(readonly access: RandomAccess, offset: number) {
    this.at = offset;
  }

  fail(expected: string, received: string, at = this.at): SyntaxError {
    return unreadable(this.access, Math.min(at, this.access.size), expected, received);
  }

  /** A view of the next bytes; valid until the next call. */
  take(length: number): DataView {
    const end = this.#windowStart + this.#window.length;
    if (this.at < this.#windowStart || this.at + length > end) {
      const rest = this.access.size - this.at;
      if (length > rest) throw this.fail(`${length} more bytes of a pickle`, `${rest} bytes`);
      this.#window = this.access.read(this.at, Math.min(Math.max(length, windowBytes), rest));
      this.#windowStart = this.at;
    }
    const start = this.at - this.#windowStart;
    this.at += length;
    return new DataView(this.#window.buffer, start, length);
  }

  uint8 = () => this.take(1).getUint8(0);
  uint16 = () => this.take(2).getUint16(0, true);
  uint32 = () => this.take(4).getUint32(0, true);
  int32 = () => this.take(4).getInt32(0, true);
  float64 = () => this.take(8).getFloat64(0, false);
  /** A length of 64 bits; beyond 2^53 it is rounded, and never lies inside a file. */
  uint64 = () => {
    const view = this.take(8);
    return view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  };

  raw(length: number): Uint8Array {
    this.#textBytes += length;
    if (this.#textBytes > maximumTextBytes) {
      throw this.fail(`at most ${maximumTextBytes} bytes of text in a pickle`, "more");
    }
    const view = this.take(length);
    return new Uint8Array(view.buffer, view.byteOffset, length);
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
    const access = this.access.slice(this.at, length);
    this.at += length;
    return { kind: "bytes", access };
  }

  line(): string {
    const start = this.at;
    let line = "";
    for (let byte = this.uint8(); byte !== 10; byte = this.uint8()) {
      line += String.fromCharCode(byte);
      if (line.length > maximumLineBytes) {
        throw this.fail(`a line of at most ${maximumLineBytes} bytes`, "a longer one", start);
      }
    }
    return line;
  }

  /** A two's complement little-endian integer of any length. */
  integer(length: number): number | bigint {
    if (length > maximumIntegerBytes) {
      throw this.fail(`an integer of at most ${maximumIntegerBytes} bytes`, `${length} bytes`);
    }
    let value = 0n;
    const view = this.take(length);
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(view.getUint8(i));
    return narrow(length ? BigInt.asIntN(8 * length, value) : 0n);
  }
}

/** A number where it is exact, else a bigint. */
export function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
