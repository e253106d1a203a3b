/**
 * Reading a file by ranges, so that a large one is never held whole.
 *
 * @module
 */

/** Bytes that can be read by ranges: a file, bytes in memory, or a part of either. */
export interface RandomAccess {
  /** What errors call it. */
  readonly name: string;
  /** Where this part starts in the outermost file, so that errors give a place in it. */
  readonly start: number;
  /** Length in bytes. */
  readonly size: number;
  /**
   * A fresh copy of a range.
   *
   * @throws {SyntaxError} when the range does not lie inside
   */
  read(offset: number, length: number): Uint8Array<ArrayBuffer>;
  /**
   * A part of it, without reading.
   *
   * @throws {SyntaxError} when the range does not lie inside
   */
  slice(offset: number, length: number): RandomAccess;
}

/** A file opened for reading; `using` or `close` ends it. */
export interface OpenFile extends RandomAccess, Disposable {
  close(): void;
}

/** The error for bytes that are not what a format asks for. `offset` counts from `access`. */
export function unreadable(
  access: Pick<RandomAccess, "name" | "start">,
  offset: number,
  expected: string,
  received: string,
): SyntaxError {
  return new SyntaxError(
    `Cannot read "${access.name}" at byte ${
      access.start + offset
    }: expected ${expected} but received ${received}`,
  );
}

type Read = (position: number, length: number) => Uint8Array<ArrayBuffer>;

function part(name: string, start: number, size: number, readAt: Read): RandomAccess {
  const check = (offset: number, length: number) => {
    const valid = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 &&
      length >= 0 && offset + length <= size;
    if (valid) return;
    const place = Number.isSafeInteger(offset) && offset >= 0 ? Math.min(offset, size) : 0;
    throw unreadable({ name, start }, place, `${length} more bytes`, `${size - place} bytes`);
  };
  return {
    name,
    start,
    size,
    read(offset, length) {
      check(offset, length);
      return readAt(start + offset, length);
    },
    slice(offset, length) {
      check(offset, length);
      return part(name, start + offset, length, readAt);
    },
  };
}

/** Bytes in memory, as a file of that name. */
export function bytesAccess(bytes: Uint8Array, name = "bytes"): RandomAccess {
  return part(
    name,
    0,
    bytes.length,
    (position, length) => new Uint8Array(bytes.subarray(position, position + length)),
  );
}

/**
 * Opens a file for reading by ranges.
 *
 * @throws {Deno.errors.NotFound} when it does not exist
 */
export function openFile(path: string | URL): OpenFile {
  const name = String(path instanceof URL ? path.href : path);
  const file = Deno.openSync(path, { read: true });
  const readAt: Read = (position, length) => {
    const bytes = new Uint8Array(length);
    file.seekSync(position, Deno.SeekMode.Start);
    for (let filled = 0; filled < length;) {
      const count = file.readSync(bytes.subarray(filled));
      if (count === null) {
        throw unreadable(
          { name, start: 0 },
          position + filled,
          "more bytes",
          "the end of the file",
        );
      }
      filled += count;
    }
    return bytes;
  };
  const { size, isFile } = file.statSync();
  if (!isFile) {
    file.close();
    throw new TypeError(`Cannot read "${name}": expected a file but received a folder or device`);
  }
  const close = () => file.close();
  return { ...part(name, 0, size, readAt), close, [Symbol.dispose]: close };
}
