/**
 * Writes zip archives for tests, also such as no honest program writes.
 *
 * @module
 */
import { crc32, deflateRawSync } from "node:zlib";

/** A member; what is given beside name and bytes replaces the honest value in both headers. */
export interface Member {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly deflate?: boolean;
  readonly size?: number;
  readonly crc?: number;
  readonly method?: number;
  readonly flags?: number;
  /** Name in the member's own header. */
  readonly localName?: string;
  /** Place of the header that the directory gives. */
  readonly header?: number;
  /** Sizes and place in the zip64 extra field, as PyTorch writes large files. */
  readonly wide?: boolean;
}

const text = new TextEncoder();

/** Bytes of numbers of 2, 4 or 8 bytes, little-endian. */
export function littleEndian(...fields: readonly (readonly [value: number, bytes: 2 | 4 | 8])[]) {
  const bytes = new Uint8Array(fields.reduce((sum, [, length]) => sum + length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [value, length] of fields) {
    if (length === 2) view.setUint16(at, value, true);
    else if (length === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += length;
  }
  return bytes;
}

/** The parts one after the other. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** An archive of those members; `count` and `size` replace the honest ones of the end record. */
export function writeZip(
  members: readonly Member[],
  { count = members.length, size, zip64 = false }: {
    readonly count?: number;
    readonly size?: number;
    readonly zip64?: boolean;
  } = {},
): Uint8Array<ArrayBuffer> {
  const files: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const member of members) {
    const { name, bytes, deflate = false, flags = 0, localName = name, wide = false } = member;
    const content = deflate ? new Uint8Array(deflateRawSync(bytes)) : bytes;
    const method = member.method ?? (deflate ? 8 : 0);
    const unpacked = member.size ?? bytes.length;
    const packed = deflate || member.size === undefined ? content.length : unpacked;
    const common = [[20, 2], [flags, 2], [method, 2], [0, 4], [
      member.crc ?? crc32(bytes),
      4,
    ]] as const;
    const label = text.encode(localName);
    files.push(
      littleEndian([0x04034b50, 4], ...common, [packed, 4], [unpacked, 4], [label.length, 2], [
        0,
        2,
      ]),
      label,
      content,
    );
    const header = member.header ?? at;
    at += 30 + label.length + content.length;
    const entry = text.encode(name);
    const extra = wide
      ? littleEndian([1, 2], [24, 2], [unpacked, 8], [packed, 8], [header, 8])
      : new Uint8Array(0);
    const plain = wide ? [0xffffffff, 0xffffffff, 0xffffffff] : [packed, unpacked, header];
    directory.push(
      littleEndian(
        [0x02014b50, 4],
        [20, 2],
        ...common,
        [plain[0]!, 4],
        [plain[1]!, 4],
        [entry.length, 2],
        [extra.length, 2],
        [0, 2],
        [0, 2],
        [0, 2],
        [0, 4],
        [plain[2]!, 4],
      ),
      entry,
      extra,
    );
  }
  const listing = joinBytes(directory);
  const length = size ?? listing.length;
  const wideEnd = zip64
    ? [
      littleEndian(
        [0x06064b50, 4],
        [44, 8],
        [45, 2],
        [45, 2],
        [0, 4],
        [0, 4],
        [count, 8],
        [count, 8],
        [length, 8],
        [at, 8],
      ),
      littleEndian([0x07064b50, 4], [0, 4], [at + listing.length, 8], [1, 4]),
    ]
    : [];
  const plainEnd = zip64 ? [0xffff, 0xffffffff, 0xffffffff] : [count, length, at];
  const end = littleEndian(
    [0x06054b50, 4],
    [0, 4],
    [plainEnd[0]!, 2],
    [plainEnd[0]!, 2],
    [plainEnd[1]!, 4],
    [plainEnd[2]!, 4],
    [0, 2],
  );
  return joinBytes([...files, listing, ...wideEnd, end]);
}
