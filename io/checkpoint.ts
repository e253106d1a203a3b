/**
 * Checkpoints: safetensors files with counters, found again by their names and checked by a sum.
 *
 * @module
 */
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Weights } from "../core/contracts.ts";
import { describe, messageOf, quote } from "./describe.ts";
import {
  inspectSafetensorsFile,
  readSafetensorsFile,
  writeSafetensorsFile,
} from "./safetensors.ts";

/** How far a run is. All numbers are finite; `images` is a whole number. */
export interface Counters {
  /** Images shown so far. */
  readonly images: number;
  readonly [name: string]: number;
}

/** What a checkpoint holds. */
export interface Checkpoint {
  /** Weights, optimiser vectors and whatever else the run needs to go on. */
  readonly arrays: Weights;
  readonly counters: Counters;
  /** How good it is: the best is kept. Higher is better. */
  readonly score?: number | undefined;
  /** Texts by name. Names that begin with `checkpoint.` are taken. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A checkpoint on disk, known by its name only. */
export interface CheckpointFile {
  readonly path: string;
  readonly images: number;
}

/** A file that was passed over, and why. */
export interface Skipped {
  readonly path: string;
  readonly reason: string;
}

const NAME = /^checkpoint-(\d{6,}\.\d{3})-kimg\.safetensors$/;
const COUNTERS = "checkpoint.counters";
const SCORE = "checkpoint.score";
const CHECKSUM = "checkpoint.crc32";

/** Thousands of images as a name that sorts: `000128.000-kimg`. */
export function kimgName(images: number): string {
  return `${(images / 1000).toFixed(3).padStart(10, "0")}-kimg`;
}

/** The file name of the checkpoint after so many images. */
export function checkpointName(images: number): string {
  return `checkpoint-${kimgName(images)}.safetensors`;
}

function checkCounters(counters: Counters): void {
  for (const [name, value] of Object.entries(counters)) {
    if (!Number.isFinite(value)) {
      throw new RangeError(
        `Cannot write checkpoint: expected counter ${quote(name)} to be finite but received ${
          describe(value)
        }`,
      );
    }
  }
  if (!Number.isSafeInteger(counters.images) || counters.images < 0) {
    throw new RangeError(
      `Cannot write checkpoint: expected counter "images" to be a whole number but received ${
        describe(counters.images)
      }`,
    );
  }
}

/** A sum over everything that the file says, so that a damaged file is not taken for a whole one. */
function checksum(arrays: Weights, metadata: Readonly<Record<string, string>>): string {
  const names = Object.keys(arrays).sort();
  const texts = Object.entries(metadata).filter(([key]) => key !== CHECKSUM).sort();
  let sum = crc32(JSON.stringify([texts, names.map((name) => [name, arrays[name]!.shape])]));
  for (const name of names) {
    const { buffer, byteOffset, byteLength } = arrays[name]!.data;
    sum = crc32(new Uint8Array(buffer, byteOffset, byteLength), sum);
  }
  return sum.toString(16).padStart(8, "0");
}

/**
 * Writes a checkpoint into a folder. A kill at any instant leaves the file whole or absent.
 *
 * @returns the path
 * @throws {RangeError} if a counter or the score is not finite
 */
export async function writeCheckpoint(
  folder: string,
  { arrays, counters, score, metadata = {} }: Checkpoint,
): Promise<string> {
  checkCounters(counters);
  if (score !== undefined && Number.isNaN(score)) {
    throw new RangeError("Cannot write checkpoint: expected a score but received NaN");
  }
  const all: Record<string, string> = { ...metadata, [COUNTERS]: JSON.stringify(counters) };
  if (score !== undefined) all[SCORE] = String(score);
  all[CHECKSUM] = checksum(arrays, all);
  const path = join(folder, checkpointName(counters.images));
  await writeSafetensorsFile(path, arrays, { metadata: all });
  return path;
}

/**
 * Reads a checkpoint and checks its sum.
 *
 * @throws {Error} if the file is truncated, damaged or no checkpoint
 */
export async function readCheckpoint(path: string): Promise<Required<Checkpoint>> {
  const { tensors: arrays, metadata } = await readSafetensorsFile(path);
  const { [COUNTERS]: counters, [SCORE]: score, [CHECKSUM]: sum, ...rest } = metadata;
  if (counters === undefined || sum === undefined) {
    throw new RangeError(
      `Cannot read checkpoint ${quote(path)}: expected metadata "${COUNTERS}" but received nothing`,
    );
  }
  const actual = checksum(arrays, metadata);
  if (actual !== sum) {
    throw new RangeError(
      `Cannot read checkpoint ${quote(path)}: expected content with CRC-32 ${
        quote(sum)
      } but received "${actual}"; the file is damaged`,
    );
  }
  return {
    arrays,
    counters: JSON.parse(counters) as Counters,
    score: score === undefined ? undefined : Number(score),
    metadata: rest,
  };
}

/** The checkpoints of a folder by name, oldest first. None if there is no folder. */
export async function listCheckpoints(folder: string): Promise<readonly CheckpointFile[]> {
  const files: CheckpointFile[] = [];
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      const kimg = isFile ? NAME.exec(name)?.[1] : undefined;
      if (kimg) files.push({ path: join(folder, name), images: Math.round(Number(kimg) * 1000) });
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return files.sort((a, b) => a.images - b.images);
}

/** What {@linkcode readNewestCheckpoint} found. */
export interface NewestCheckpoint {
  /** `undefined` if no file is whole. */
  readonly newest: (Required<Checkpoint> & { readonly path: string }) | undefined;
  /** Newer files that are damaged, newest first. */
  readonly skipped: readonly Skipped[];
}

/** Reads the newest checkpoint of a folder that is whole; damaged ones are passed over. */
export async function readNewestCheckpoint(folder: string): Promise<NewestCheckpoint> {
  const skipped: Skipped[] = [];
  for (const { path } of (await listCheckpoints(folder)).toReversed()) {
    try {
      return { newest: { ...await readCheckpoint(path), path }, skipped };
    } catch (error) {
      skipped.push({ path, reason: messageOf(error) });
    }
  }
  return { newest: undefined, skipped };
}

async function scoreOf({ path }: CheckpointFile): Promise<number> {
  try {
    const score = (await inspectSafetensorsFile(path)).metadata[SCORE];
    return score === undefined ? -Infinity : Number(score);
  } catch {
    return -Infinity; // damaged: never the best
  }
}

/** The checkpoint of the highest score, the newest of them if several are equal. */
export async function findBestCheckpoint(folder: string): Promise<CheckpointFile | undefined> {
  let best: CheckpointFile | undefined;
  let highest = -Infinity;
  for (const file of await listCheckpoints(folder)) {
    const score = await scoreOf(file);
    if (score > -Infinity && score >= highest) [best, highest] = [file, score];
  }
  return best;
}

/** Removes all checkpoints of a folder but the newest `keep` and the best. */
export async function pruneCheckpoints(folder: string, keep: number): Promise<void> {
  const files = await listCheckpoints(folder);
  const old = files.slice(0, Math.max(0, files.length - keep));
  if (old.length === 0) return;
  const best = await findBestCheckpoint(folder);
  for (const { path } of old) {
    if (path !== best?.path) await Deno.remove(path);
  }
}
