/**
 * The directory of a zip archive and its members, by ranges. Nothing is ever written to disk, and
 * what a hostile archive could do (names that climb, members that overlap or unpack to gigabytes)
 * is refused before anything is read.
 *
 * Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3 (zip64).
 *
 * @module
 */
import { crc32, inflateRawSync } from "node:zlib";
import { quote } from "./describe.ts";
import { bytesAccess, type RandomAccess, unreadable } from "./random_access.ts";

/** One file in an archive. */
export interface ZipMember {
  readonly name: string;
  /** Unpacked size in bytes. */
  readonly size: number;
  /**
   * Its bytes, after comparing their checksum; a stored member is not copied.
   *
   * @throws {SyntaxError} when they do not match the checksum or the size
   */
  open(): RandomAccess;
}

interface Record {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packedSize: number;
  readonly size: number;
  /** Where its local header starts in the archive. */
  readonly header: number;
}

const maximumMembers = 100_000;
const maximumDirectoryBytes = 2 ** 24;
const maximumMemberBytes = 2 ** 31 - 1; // what one typed array may hold everywhere
const maximumRatio = 100; // float weights deflate to 0.9 of their size; zeros alone reach 1000
const allOnes16 = 0xffff;
const allOnes32 = 0xffffffff;
const chunkBytes = 2 ** 20;

const viewOf = (bytes: Uint8Array) =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function uint64(view: DataView, offset: number): number {
  return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 2 ** 32;
}

/** Finds the end record, and the zip64 one where there is one. */
function findDirectory(archive: RandomAccess): { start: number; size: number; count: number } {
  const tailSize = Math.min(archive.size, 22 + allOnes16);
  const tailStart = archive.size - tailSize;
  const view = viewOf(archive.read(tailStart, tailSize));
  let at = tailSize - 22;
  const isEnd = () =>
    view.getUint32(at, true) === 0x06054b50 && view.getUint16(at + 20, true) === tailSize - at - 22;
  while (at >= 0 && !isEnd()) at--;
  if (at < 0) {
    throw unreadable(archive, archive.size, "the directory of a zip archive", "a cut-off file");
  }
  const end = {
    count: view.getUint16(at + 10, true),
    size: view.getUint32(at + 12, true),
    start: view.getUint32(at + 16, true),
  };
  const wide = end.count === allOnes16 || end.size === allOnes32 || end.start === allOnes32;
  const locator = tailStart + at - 20;
  if (!wide || locator < 0) return end;
  const pointer = viewOf(archive.read(locator, 20));
  if (pointer.getUint32(0, true) !== 0x07064b50) return end;
  const record = viewOf(archive.read(uint64(pointer, 8), 56));
  if (record.getUint32(0, true) !== 0x06064b50) {
    throw unreadable(archive, uint64(pointer, 8), "a zip64 end record", "something else");
  }
  return { count: uint64(record, 32), size: uint64(record, 40), start: uint64(record, 48) };
}

/** The sizes and the place that stand in the zip64 extra field where the plain ones are all ones. */
function widen(
  extra: DataView,
  plain: { size: number; packedSize: number; header: number },
): { size: number; packedSize: number; header: number } {
  const fields = (["size", "packedSize", "header"] as const).filter((f) => plain[f] === allOnes32);
  if (!fields.length) return plain;
  const wide = { ...plain };
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const length = extra.getUint16(at + 2, true);
    if (extra.getUint16(at, true) === 1 && at + 4 + length <= extra.byteLength) {
      fields.slice(0, Math.floor(length / 8)).forEach((field, i) => {
        wide[field] = uint64(extra, at + 4 + 8 * i);
      });
    }
    at += 4 + length;
  }
  return wide;
}

function decodeName(archive: RandomAccess, at: number, bytes: Uint8Array): string {
  let name: string;
  try {
    name = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw unreadable(archive, at, "a member's name in UTF-8", "other bytes");
  }
  const climbs = name.split("/").some((segment) => segment === ".." || segment === ".");
  if (!name || climbs || /^\/|^[A-Za-z]:|\\|\p{Cc}/u.test(name)) {
    throw unreadable(archive, at, "a member's name inside the archive", quote(name));
  }
  return name;
}

function readRecords(archive: RandomAccess): { records: Record[]; directory: number } {
  const { start, size, count } = findDirectory(archive);
  if (size > maximumDirectoryBytes || count > maximumMembers) {
    throw unreadable(
      archive,
      Math.min(start, archive.size),
      `a directory of at most ${maximumMembers} members and ${maximumDirectoryBytes} bytes`,
      `${count} members and ${size} bytes`,
    );
  }
  const bytes = archive.read(start, size);
  const view = viewOf(bytes);
  const records: Record[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const short = at + 46 > size || view.getUint32(at, true) !== 0x02014b50;
    const lengths = short ? [] : [28, 30, 32].map((field) => view.getUint16(at + field, true));
    const [nameLength = 0, extraLength = 0, commentLength = 0] = lengths;
    const next = at + 46 + nameLength + extraLength + commentLength;
    if (short || next > size) {
      throw unreadable(archive, start + at, `directory entry ${i + 1} of ${count}`, "other bytes");
    }
    const name = decodeName(archive, start + at, bytes.subarray(at + 46, at + 46 + nameLength));
    if (view.getUint16(at + 8, true) & 1) {
      throw unreadable(archive, start + at, "members that are not encrypted", `${quote(name)}`);
    }
    const extra = viewOf(bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength));
    const plain = {
      size: view.getUint32(at + 24, true),
      packedSize: view.getUint32(at + 20, true),
      header: view.getUint32(at + 42, true),
    };
    const method = view.getUint16(at + 10, true);
    const crc = view.getUint32(at + 16, true);
    records.push({ name, method, crc, ...widen(extra, plain) });
    at = next;
  }
  return { records, directory: start };
}

/** Refuses what no honest archive holds: members over each other, too large or packed too well. */
function checkRecords(archive: RandomAccess, records: readonly Record[]): void {
  const total = records.reduce((sum, { size }) => sum + size, 0);
  if (total > maximumRatio * archive.size) {
    throw unreadable(
      archive,
      0,
      `members of at most ${maximumRatio} times the size of the archive`,
      `${total} bytes from ${archive.size}`,
    );
  }
  const seen = new Set<string>();
  for (const { name, size, packedSize, method, header } of records) {
    const place = Math.min(header, archive.size);
    if (seen.has(name)) {
      throw unreadable(archive, place, "each member once", `${quote(name)} twice`);
    }
    seen.add(name);
    if (method !== 0 && method !== 8) {
      throw unreadable(archive, place, `${quote(name)} stored or deflated`, `method ${method}`);
    }
    if (size > maximumMemberBytes || (method === 0 && size !== packedSize)) {
      const rule = method === 0 ? `${packedSize} bytes` : `at most ${maximumMemberBytes} bytes`;
      throw unreadable(archive, place, `${quote(name)} of ${rule}`, `${size} bytes`);
    }
  }
}

/** Where the bytes of each member start: after its local header, which must agree. */
function locate(
  archive: RandomAccess,
  records: readonly Record[],
  directory: number,
): Map<Record, number> {
  const places = new Map<Record, number>();
  let free = 0;
  for (const record of [...records].sort((a, b) => a.header - b.header)) {
    const { name, header, packedSize } = record;
    if (header < free || header + 30 > directory) {
      throw unreadable(
        archive,
        Math.min(header, archive.size),
        `${quote(name)} apart`,
        "an overlap",
      );
    }
    const local = viewOf(archive.read(header, 30));
    const nameLength = local.getUint16(26, true);
    const start = header + 30 + nameLength + local.getUint16(28, true);
    const named = local.getUint32(0, true) === 0x04034b50 &&
      decodeName(archive, header, archive.read(header + 30, nameLength)) === name;
    if (!named) throw unreadable(archive, header, `the header of ${quote(name)}`, "something else");
    free = start + packedSize;
    if (free > directory) {
      throw unreadable(
        archive,
        start,
        `the ${packedSize} bytes of ${quote(name)}`,
        "the directory",
      );
    }
    places.set(record, start);
  }
  return places;
}

function checksum(access: RandomAccess): number {
  let sum = 0;
  for (let at = 0; at < access.size; at += chunkBytes) {
    sum = crc32(access.read(at, Math.min(chunkBytes, access.size - at)), sum);
  }
  return sum;
}

function openMember(archive: RandomAccess, record: Record, start: number): RandomAccess {
  const { name, method, size, packedSize, crc } = record;
  let content = archive.slice(start, packedSize);
  if (method === 8) {
    try {
      const packed = archive.read(start, packedSize);
      const unpacked = inflateRawSync(packed, { maxOutputLength: Math.max(size, 1) });
      content = bytesAccess(unpacked, `${archive.name}/${name}`);
    } catch {
      throw unreadable(
        archive,
        start,
        `${quote(name)} to unpack to ${size} bytes`,
        "a damaged member",
      );
    }
    if (content.size !== size) {
      throw unreadable(archive, start, `${quote(name)} of ${size} bytes`, `${content.size} bytes`);
    }
  }
  // PyTorch can be told to leave the checksums out: then the field is zero.
  const sum = crc === 0 ? 0 : checksum(content);
  if (sum !== crc) {
    throw unreadable(
      archive,
      start,
      `the bytes of ${quote(name)} to have checksum ${crc.toString(16)}`,
      `${sum.toString(16)}, so the file is damaged`,
    );
  }
  return content;
}

/**
 * The members of a zip archive by name.
 *
 * @throws {SyntaxError} for anything but a whole archive of stored or deflated members with plain
 * names, saying what is wrong and at which byte
 */
export function readZip(archive: RandomAccess): ReadonlyMap<string, ZipMember> {
  const { records, directory } = readRecords(archive);
  checkRecords(archive, records);
  const places = locate(archive, records, directory);
  return new Map(
    records.filter(({ name }) => !name.endsWith("/")).map((record) => [record.name, {
      name: record.name,
      size: record.size,
      open: () => openMember(archive, record, places.get(record)!),
    }]),
  );
}
