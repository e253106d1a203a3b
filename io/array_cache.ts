/**
 * Arrays of numbers on disk by a key: what is costly to compute and can be computed again.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { writeFileAtomic } from "./atomic_write.ts";

/** Numbers of one kind; float64 stays float64. */
export type Numbers = Float32Array | Float64Array;

/** Named arrays by key. Damaged entries count as absent. */
export interface ArrayCache {
  read(key: string): Promise<Readonly<Record<string, Numbers>> | undefined>;
  write(key: string, arrays: Readonly<Record<string, Numbers>>): Promise<void>;
}

interface Header {
  readonly key: string;
  readonly arrays: readonly {
    readonly name: string;
    readonly type: "f32" | "f64";
    readonly length: number;
  }[];
  /** SHA-256 of the numbers. */
  readonly sum: string;
}

const BYTES = { f32: 4, f64: 8 } as const;
const PREFIX_BYTES = 8;

/**
 * Opens a cache in a folder, which is made when something is written. Above `maximumBytes` the
 * entries that were written longest ago are removed.
 */
export function openArrayCache(
  folder: string,
  { maximumBytes = 2 ** 31 }: { readonly maximumBytes?: number } = {},
): ArrayCache {
  const pathOf = (key: string) => join(folder, `${sumOf([new TextEncoder().encode(key)])}.arrays`);
  return {
    async read(key) {
      try {
        return decode(await Deno.readFile(pathOf(key)), key);
      } catch {
        return undefined; // absent, cut short or of an older version: computed again
      }
    },
    async write(key, arrays) {
      await writeFileAtomic(pathOf(key), encode(key, arrays));
      await prune(folder, maximumBytes);
    },
  };
}

/** Removes the oldest entries until the rest fits. */
async function prune(folder: string, maximumBytes: number): Promise<void> {
  const entries: { path: string; size: number; time: number }[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".arrays")) continue;
    const path = join(folder, name);
    const { size, mtime } = await Deno.stat(path);
    entries.push({ path, size, time: mtime?.getTime() ?? 0 });
  }
  entries.sort((a, b) => b.time - a.time);
  let total = 0;
  for (const { path, size } of entries) {
    total += size;
    if (total > maximumBytes) await Deno.remove(path).catch(() => {}); // another process was faster
  }
}

function sumOf(chunks: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex").slice(0, 32);
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Numbers) =>
  new Uint8Array(buffer, byteOffset, byteLength);

function encode(key: string, arrays: Readonly<Record<string, Numbers>>): Uint8Array[] {
  const chunks = Object.values(arrays).map(bytesOf);
  const header: Header = {
    key,
    arrays: Object.entries(arrays).map(([name, numbers]) => ({
      name,
      type: numbers instanceof Float64Array ? "f64" : "f32",
      length: numbers.length,
    })),
    sum: sumOf(chunks),
  };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const prefix = new Uint8Array(PREFIX_BYTES);
  new DataView(prefix.buffer).setUint32(0, json.length, true);
  return [prefix, json, ...chunks];
}

function decode(bytes: Uint8Array, key: string): Record<string, Numbers> | undefined {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const end = PREFIX_BYTES + length;
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(PREFIX_BYTES, end))) as Header;
  const body = bytes.subarray(end);
  if (header.key !== key || header.sum !== sumOf([body])) return undefined;
  const arrays: Record<string, Numbers> = {};
  let at = 0;
  for (const { name, type, length } of header.arrays) {
    const copy = body.slice(at, at += length * BYTES[type]); // its start is aligned
    arrays[name] = type === "f64" ? new Float64Array(copy.buffer) : new Float32Array(copy.buffer);
  }
  return arrays;
}
