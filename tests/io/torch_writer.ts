/**
 * Writes pickles and PyTorch files for tests: enough of the format for state dicts, and opcodes in any
 * order for what nobody would save.
 *
 * @module
 */
import type { HostArray } from "../../core/contracts.ts";
import { joinBytes, littleEndian, type Member, writeZip } from "./zip_writer.ts";

const text = new TextEncoder();

/** Bytes of a string of characters below 256: opcodes and their arguments. */
export function raw(characters: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(characters, (character) => character.charCodeAt(0));
}

/** A pickle of protocol 2 with that body. */
export function pickleOf(...parts: readonly (Uint8Array | string)[]): Uint8Array<ArrayBuffer> {
  const body = parts.map((part) => typeof part === "string" ? raw(part) : part);
  return joinBytes([raw("\x80\x02"), ...body, raw(".")]);
}

/** The opcodes that push a name. */
export function global(module: string, name: string): string {
  return `c${module}\n${name}\n`;
}

function string(value: string): Uint8Array {
  const bytes = text.encode(value);
  return joinBytes([raw("X"), littleEndian([bytes.length, 4]), bytes]);
}

function integer(value: number): Uint8Array {
  return joinBytes([raw("J"), littleEndian([value >>> 0, 4])]);
}

const tuple = (items: readonly Uint8Array[]) => joinBytes([raw("("), ...items, raw("t")]);

/** What the writer can save. */
export type Saved = HostArray | string | number | null | { readonly [name: string]: Saved };

function isArray(value: Saved): value is HostArray {
  return typeof value === "object" && value !== null && value["data"] instanceof Float32Array;
}

function encode(value: Saved, storages: Float32Array[]): Uint8Array {
  if (value === null) return raw("N");
  if (typeof value === "string") return string(value);
  if (typeof value === "number") return integer(value);
  if (isArray(value)) {
    const { shape, data } = value;
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    const key = `${storages.push(data) - 1}`;
    const id = tuple([
      string("storage"),
      raw(global("torch", "FloatStorage")),
      string(key),
      string("cpu"),
      integer(data.length),
    ]);
    const args = [id, raw("Q"), integer(0), tuple(shape.map(integer)), tuple(strides.map(integer))];
    const rebuild = raw(global("torch._utils", "_rebuild_tensor_v2"));
    return joinBytes([rebuild, raw("("), ...args, raw("\x89}tR")]);
  }
  const items = Object.entries(value).flatMap(([name, item]) => [
    string(name),
    encode(item, storages),
  ]);
  return joinBytes([raw("}("), ...items, raw("u")]);
}

/** The members of a zip file of PyTorch with that object. */
export function torchMembers(value: Saved, { deflate = false } = {}): Member[] {
  const storages: Float32Array[] = [];
  const pickle = joinBytes([raw("\x80\x02"), encode(value, storages), raw(".")]);
  return [
    { name: "archive/data.pkl", bytes: pickle, deflate },
    ...storages.map((data, i) => ({
      name: `archive/data/${i}`,
      bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      deflate,
    })),
    { name: "archive/version", bytes: text.encode("3\n"), deflate },
  ];
}

/** A zip file of PyTorch with that object. */
export function writeTorch(value: Saved): Uint8Array<ArrayBuffer> {
  return writeZip(torchMembers(value));
}
