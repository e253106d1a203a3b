/**
 * A run folder: the config, the events, checkpoints and samples of one training, so that the same
 * command goes on where a kill at any instant left it.
 *
 * @module
 */
import { join } from "node:path";
import type { Weights } from "../core/contracts.ts";
import { UNFINISHED, writeFileAtomic } from "./atomic_write.ts";
import {
  type Checkpoint,
  checkpointName,
  type Counters,
  pruneCheckpoints,
  readNewestCheckpoint,
  type Skipped,
  writeCheckpoint,
} from "./checkpoint.ts";
import { quote } from "./describe.ts";
import { LOCK, lockFolder } from "./folder_lock.ts";
import { otherConfig } from "./run_config.ts";
import {
  CHECKPOINTS,
  CONFIG,
  EVENTS,
  isRun,
  namesIn,
  RESULT,
  RESULT_RULE,
  SAMPLE,
  SAMPLE_RULE,
  SAMPLES,
} from "./run_files.ts";

/** How {@linkcode openRun} opens. */
export interface OpenRunOptions<Config> {
  /** Forget the run that is there. Default: go on with it. */
  readonly restart?: boolean;
  /** The part of a config that must not change when a run goes on. Default: all of it. */
  readonly comparable?: (config: Config) => unknown;
  /** How many of the newest checkpoints are kept, beside the best. Default: 2. */
  readonly keep?: number;
}

/** Where an earlier process left the run. */
export interface ResumedRun extends Required<Checkpoint> {
  /** The checkpoint's path. */
  readonly path: string;
  /** Newer checkpoints that are damaged; their names now end in `.damaged`. */
  readonly skipped: readonly Skipped[];
}

/** A run folder that this process writes. Dispose it or `close()` it at the end. */
export interface Run extends Disposable {
  readonly dir: string;
  /** `undefined` if the run starts from nothing. */
  readonly resumed: ResumedRun | undefined;
  /**
   * Adds a line to `events.jsonl`, with the time. Typed arrays are left out; numbers that are not
   * finite become text.
   */
  append<Event extends { readonly kind: string }>(event: Event): void;
  /**
   * Writes a checkpoint and adds an event `{ kind: "checkpoint", ...counters, path, score }`. What
   * is appended later is cut if the run goes on from here.
   *
   * @param options `score`: how good it is, the best is kept; `metadata`: texts for the file
   * @returns the path
   */
  checkpoint(
    arrays: Weights,
    counters: Counters,
    options?: Pick<Checkpoint, "score" | "metadata">,
  ): Promise<string>;
  /** Writes `samples/<name>`, a PNG, and returns its path. */
  sample(name: string, png: Uint8Array): Promise<string>;
  /** Writes a result beside the config, as `student.safetensors` or `losses.svg`; returns its path. */
  write(name: string, content: string | Uint8Array): Promise<string>;
  close(): void;
}

const EVENTS_BYTES = "checkpoint.eventsBytes";

/** Throws if the folder has content that no run wrote: it may be somebody's work. */
async function refuseOtherFolder(dir: string): Promise<void> {
  if (await isRun(dir)) return;
  for (const name of await namesIn(dir)) {
    // A run makes its events before its config: without one, they can only be empty.
    const isFresh = name === EVENTS && (await Deno.stat(join(dir, EVENTS))).size === 0;
    if (isFresh || name === LOCK || UNFINISHED.test(name)) continue;
    throw new Error(
      `Cannot start a run in ${quote(dir)}: expected an empty folder or a run but received ` +
        `one with ${quote(name)}; use another --out`,
    );
  }
}

async function removeMatching(folder: string, pattern: RegExp): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (pattern.test(name)) await Deno.remove(join(folder, name));
  }
}

/** Removes what a run wrote, and nothing else. Its config stays until it is replaced. */
async function clearRun(dir: string): Promise<void> {
  await Deno.truncate(join(dir, EVENTS));
  await removeMatching(join(dir, CHECKPOINTS), /^checkpoint-[\d.]+-kimg\.safetensors(\.damaged)?$/);
  await removeMatching(join(dir, SAMPLES), SAMPLE);
  await removeMatching(dir, RESULT);
}

/** Whether there is a checkpoint of more than the beginning, be it damaged. */
async function hasTrained(dir: string): Promise<boolean> {
  const names = await namesIn(join(dir, CHECKPOINTS));
  return names.some((name) => Number(/^checkpoint-([\d.]+)-kimg\./.exec(name)?.[1] ?? 0) > 0);
}

interface Found {
  readonly resumed: ResumedRun | undefined;
  /** Length of the events when the checkpoint was written. */
  readonly eventsBytes: number;
}

async function findResumed(dir: string): Promise<Found> {
  const { newest, skipped } = await readNewestCheckpoint(join(dir, CHECKPOINTS));
  if (!newest && skipped.length > 0) {
    throw new Error(
      `Cannot resume ${quote(dir)}: expected a whole checkpoint but received ${skipped.length} ` +
        `damaged (${skipped[0]!.reason}); use --restart or another --out`,
    );
  }
  for (const { path } of skipped) await Deno.rename(path, `${path}.damaged`);
  if (!newest) return { resumed: undefined, eventsBytes: 0 };
  const { [EVENTS_BYTES]: eventsBytes, ...metadata } = newest.metadata;
  return { resumed: { ...newest, metadata, skipped }, eventsBytes: Number(eventsBytes ?? 0) };
}

/** Cuts the events to what the checkpoint knew of; makes the file if there is none. */
async function cutEvents(path: string, bytes: number): Promise<void> {
  using events = await Deno.open(path, { write: true, create: true });
  if ((await events.stat()).size > bytes) await events.truncate(bytes);
}

function writeEvent(events: Deno.FsFile, event: object): void {
  const json = JSON.stringify({ ...event, time: new Date().toISOString() }, (_, value) => {
    if (ArrayBuffer.isView(value)) return undefined;
    return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  });
  const line = new TextEncoder().encode(`${json}\n`);
  for (let done = 0; done < line.length;) done += events.writeSync(line.subarray(done));
}

async function writeContent(path: string, content: string | Uint8Array): Promise<string> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  await writeFileAtomic(path, [bytes]);
  return path;
}

function refuseName(name: string, what: string, rule: string): never {
  throw new RangeError(`Cannot write ${what}: expected ${rule} but received ${quote(name)}`);
}

interface Parts {
  readonly events: Deno.FsFile;
  readonly keep: number;
  readonly lock: Disposable;
  readonly resumed: ResumedRun | undefined;
}

function createRun(dir: string, { events, keep, lock, resumed }: Parts): Run {
  const checkpoints = join(dir, CHECKPOINTS);
  let isOpen = true;
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    events.close();
    lock[Symbol.dispose]();
  };
  return {
    dir,
    resumed,
    append: (event) => writeEvent(events, event),
    async checkpoint(arrays, counters, { score, metadata = {} } = {}) {
      // The event comes first, so that the checkpoint knows of its own line.
      const path = join(CHECKPOINTS, checkpointName(counters.images));
      writeEvent(events, { kind: "checkpoint", ...counters, path, score });
      await events.sync();
      const { size } = await events.stat();
      const all = { ...metadata, [EVENTS_BYTES]: String(size) };
      const written = await writeCheckpoint(checkpoints, {
        arrays,
        counters,
        score,
        metadata: all,
      });
      await pruneCheckpoints(checkpoints, keep);
      return written;
    },
    // deno-lint-ignore require-await -- a wrong name rejects, as any other failure
    async sample(name, png) {
      if (!SAMPLE.test(name)) refuseName(name, "sample", SAMPLE_RULE);
      return writeContent(join(dir, SAMPLES, name), png);
    },
    // deno-lint-ignore require-await -- as above
    async write(name, content) {
      if (!RESULT.test(name)) refuseName(name, "result", RESULT_RULE);
      return writeContent(join(dir, name), content);
    },
    close,
    [Symbol.dispose]: close,
  };
}

/**
 * Opens a run folder to write it: makes a new one, or goes on with the one that is there.
 *
 * Going on asks for the same config in what is `comparable`, unless no checkpoint was reached but that
 * of the beginning: then nothing is lost, and it starts anew. Events after the newest whole checkpoint
 * are cut. Only one process at a time can have a folder.
 *
 * @param dir the folder; made if there is none
 * @param config plain JSON, saved as `config.json`: enough to repeat the run
 * @throws {RangeError} if the config differs from that of a run that has a checkpoint
 * @throws {Error} if another process has the folder, the folder holds something else than a run,
 *   or all its checkpoints are damaged
 */
export async function openRun<Config extends object>(
  dir: string,
  config: Config,
  { restart = false, comparable = (config) => config, keep = 2 }: OpenRunOptions<Config> = {},
): Promise<Run> {
  await refuseOtherFolder(dir);
  await Deno.mkdir(dir, { recursive: true });
  const lock = lockFolder(dir, (owner) =>
    new Error(
      `Cannot open run ${
        quote(dir)
      }: expected no other process to use it but received ${owner}; wait for it or use another --out`,
    ));
  try {
    for (const folder of [dir, join(dir, CHECKPOINTS), join(dir, SAMPLES)]) {
      await removeMatching(folder, UNFINISHED);
    }
    const isKnown = await isRun(dir);
    const other = isKnown && !restart ? await otherConfig(dir, config, comparable) : undefined;
    if (other && await hasTrained(dir)) throw other;
    if (isKnown && (restart || other)) await clearRun(dir);
    const { resumed, eventsBytes } = await findResumed(dir);
    await cutEvents(join(dir, EVENTS), eventsBytes);
    await writeContent(join(dir, CONFIG), `${JSON.stringify(config, undefined, 2)}\n`);
    const events = await Deno.open(join(dir, EVENTS), { append: true });
    return createRun(dir, { events, keep, lock, resumed });
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}
