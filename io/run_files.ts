/**
 * What lies in a run folder, and reading it.
 *
 * @module
 */
import { join } from "node:path";
import { type CheckpointFile, listCheckpoints } from "./checkpoint.ts";
import { quote } from "./describe.ts";

/** Names in a run folder. */
export const CONFIG = "config.json";
/** One JSON object per line. */
export const EVENTS = "events.jsonl";
/** Folder of checkpoints. */
export const CHECKPOINTS = "checkpoints";
/** Folder of pictures. */
export const SAMPLES = "samples";

const RESULTS = "comparison, discriminator, losses, metrics, psnr, report, student, teacher";
const EXTENSIONS = "html, json, md, onnx, png, safetensors, svg";

/** Files that a run may write beside those. A fixed list, so that `--restart` knows what is ours. */
export const RESULT = new RegExp(
  `^(${RESULTS.replaceAll(", ", "|")})[\\w.-]*\\.(${EXTENSIONS.replaceAll(", ", "|")})$`,
);
/** What {@linkcode RESULT} asks for, in words. */
export const RESULT_RULE =
  `a name that begins with one of ${RESULTS} and ends in one of ${EXTENSIONS}`;
/** Pictures in the folder of samples. */
export const SAMPLE = /^[\w.-]+\.png$/;
/** What {@linkcode SAMPLE} asks for, in words. */
export const SAMPLE_RULE = "a name of letters, digits, dots, - and _ that ends in .png";

/** A line of `events.jsonl`: what an event of a pipeline says, and when. */
export interface RunEvent {
  readonly kind: string;
  /** When it was written, ISO 8601. */
  readonly time?: string;
  readonly [field: string]: unknown;
}

/** A run folder, read. */
export interface RunRecord {
  readonly dir: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly events: readonly RunEvent[];
  /** Oldest first. */
  readonly checkpoints: readonly CheckpointFile[];
  /** Paths, in the order of their names. */
  readonly samples: readonly string[];
}

/** Whether there is a file or folder of that name. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The names in a folder, sorted; none if there is no folder. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Whether a folder holds a run. */
export async function isRun(dir: string): Promise<boolean> {
  return await exists(join(dir, CONFIG)) && await exists(join(dir, EVENTS));
}

/**
 * Reads the config of a run.
 *
 * @throws {SyntaxError} if it is no JSON object
 */
export async function readConfig(dir: string): Promise<Readonly<Record<string, unknown>>> {
  const path = join(dir, CONFIG);
  const text = await Deno.readTextFile(path);
  try {
    const config: unknown = JSON.parse(text);
    if (typeof config === "object" && config !== null && !Array.isArray(config)) {
      return config as Readonly<Record<string, unknown>>;
    }
  } catch { /* said below */ }
  throw new SyntaxError(
    `Cannot read ${quote(path)}: expected a JSON object but received ${quote(text)}`,
  );
}

function parseEvents(text: string, path: string): RunEvent[] {
  const lines = text.split("\n");
  lines.pop(); // after the last newline: nothing, or a line that a kill cut off
  return lines.map((line, i) => {
    try {
      return JSON.parse(line) as RunEvent;
    } catch {
      throw new SyntaxError(
        `Cannot read ${quote(path)}: expected JSON in line ${i + 1} but received ${quote(line)}`,
      );
    }
  });
}

/**
 * Reads a run folder, also one whose run is going on.
 *
 * @throws {Error} if it is no run folder
 * @throws {SyntaxError} if its config or a line of its events is no JSON
 */
export async function readRun(dir: string): Promise<RunRecord> {
  if (!await isRun(dir)) {
    const received = await exists(dir) ? "a folder without them" : "no folder";
    throw new Error(
      `Cannot read run ${
        quote(dir)
      }: expected "${CONFIG}" and "${EVENTS}" but received ${received}`,
    );
  }
  const config = await readConfig(dir);
  const events = join(dir, EVENTS);
  const samples = (await namesIn(join(dir, SAMPLES))).filter((name) => name.endsWith(".png"));
  return {
    dir,
    config,
    events: parseEvents(await Deno.readTextFile(events), events),
    checkpoints: await listCheckpoints(join(dir, CHECKPOINTS)),
    samples: samples.map((name) => join(dir, SAMPLES, name)),
  };
}
