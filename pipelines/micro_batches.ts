/**
 * Splits the batch of a training step into micro-batches, whose gradients add up to the batch's: one
 * after the other, in less memory, or some of them side by side, each on its share of the threads.
 *
 * The sum is the batch's own gradient as long as a term is a mean over images; latents, noise and
 * random tensors are those of the whole batch. Three things look across images:
 *
 * - The discriminator's minibatch deviation: its groups stay whole if a micro-batch holds one or
 *   more of them; a smaller micro-batch is one group, and the discriminator then sees less.
 * - Terms whose target is the mean of the batch (`path_length`, `band_smoothness`): it becomes that
 *   of the micro-batch.
 * - Clipping looks at the sum, so it is the same.
 *
 * @module
 */
import type { HostArray } from "../core/contracts.ts";
import type { Random } from "../core/random.ts";
import type { Engine } from "../engine/mod.ts";
import type { Latents } from "./latents.ts";
import type { Term } from "./objective.ts";

/** How a batch is split. */
export interface Split {
  /** Images of a step. */
  readonly batch: number;
  /** Micro-batches of a step; divides `batch`. */
  readonly accumulate: number;
  /** Images per group of the minibatch deviation; 1 where there is no discriminator. */
  readonly group: number;
  /** Micro-batches that are computed side by side; divides `accumulate`. */
  readonly lanes: number;
  /** Whether the run asked for micro-batches; else they are only faster, and change no result. */
  readonly asked: boolean;
}

/**
 * Most pixels that a lane computes at once. Operations on small arrays wait for their threads more than
 * they compute; on large ones two threads are as fast together (docs/performance.md).
 */
const MOST_PIXELS = 2 ** 17;
/** Fewest images of a lane, which has a graph of its own in memory; fewer where parts are smaller. */
const FEWEST_IMAGES = 4;
/** Pixels of a part of a batch of more than these; where an image has as many, it is a part of its own. */
const PART_PIXELS = 2 ** 16;

/**
 * How a run splits its batch: as it is told; else, where an engine is faster so and the groups of the
 * minibatch deviation stay whole, into parts side by side, large ones in several turns.
 *
 * @throws {RangeError} If a micro-batch has neither whole groups nor less than one.
 */
export function splitOf(
  engine: Pick<Engine, "lanes" | "largeBatches">,
  { batch, accumulate, group, sizePx }: Pick<Split, "batch" | "accumulate" | "group"> & {
    readonly sizePx: number;
  },
): Split {
  if (accumulate > 1) {
    const split = { batch, accumulate, group, lanes: 1, asked: true };
    microBatchRows(split); // refuses
    return split;
  }
  const whole = Math.min(group, batch);
  const most = imagesAtOnce(engine, batch, whole, sizePx ** 2);
  const lanes = most * sizePx ** 2 > MOST_PIXELS ? 1 : lanesOf(engine, batch, whole, most);
  const images = largestPart(batch / lanes, whole, most);
  return { batch, accumulate: batch / images, group, lanes, asked: false };
}

/** The most lanes that have as many threads, and whole groups of images, as the others. */
function lanesOf(
  engine: Pick<Engine, "lanes">,
  batch: number,
  whole: number,
  most: number,
): number {
  const fits = (lanes: number) =>
    engine.lanes % lanes === 0 && batch % lanes === 0 && batch / lanes % whole === 0;
  const fewest = Math.min(FEWEST_IMAGES, Math.max(most, 2));
  let lanes = Math.max(1, Math.min(Math.floor(batch / fewest), engine.lanes));
  while (lanes > 1 && !fits(lanes)) lanes--;
  return lanes;
}

/** How many parts of a batch of images a generator draws side by side, if they are small; else 1. */
export function imageLanes(
  engine: Pick<Engine, "lanes">,
  images: number,
  sizePx: number,
): number {
  return images * sizePx ** 2 > MOST_PIXELS ? 1 : lanesOf(engine, images, 1, images);
}

/** The most images, up to `most`, that divide those of a lane into whole groups. */
function largestPart(images: number, whole: number, most: number): number {
  for (let part = Math.min(most, images); part >= whole; part--) {
    if (images % part === 0 && part % whole === 0) return part;
  }
  return images;
}

/** The most images that are computed at once: of a batch of few pixels all, else what the engine likes. */
function imagesAtOnce(
  { largeBatches }: Pick<Engine, "largeBatches">,
  batch: number,
  whole: number,
  pixels: number,
): number {
  if (largeBatches === "images" && pixels >= PART_PIXELS && whole === 1) return 1;
  if (largeBatches !== "parts" || batch * pixels <= MOST_PIXELS) return batch;
  const most = Math.max(1, Math.floor(PART_PIXELS / pixels));
  return most < whole ? batch : most;
}

/** Whether a step of these terms is split: what is only faster must not change the result. */
export function splits({ accumulate, asked }: Split, terms: readonly Term[]): boolean {
  if (accumulate === 1) return false;
  return asked || terms.every(({ loss }) => loss.perImage === true);
}

/**
 * The images of each micro-batch, as indices into the batch.
 *
 * A batch of N images has G = N / group groups, and image i is in group i mod G: a micro-batch takes
 * whole groups, in the order in which it forms the same ones.
 *
 * @throws {RangeError} If a micro-batch has neither whole groups nor less than one.
 */
export function microBatchRows(
  { batch, accumulate, group }: Pick<Split, "batch" | "accumulate" | "group">,
): number[][] {
  const images = batch / accumulate;
  const whole = Math.min(group, batch);
  if (images > whole && images % whole !== 0) {
    throw new RangeError(
      `Cannot accumulate ${accumulate} micro-batches: expected a multiple of ${whole} images, the group of the discriminator's minibatch deviation, in each but received ${images}; change "batch" or "accumulate"`,
    );
  }
  const size = images < whole ? 1 : whole;
  const [all, each] = [batch / size, images / size];
  return Array.from(
    { length: accumulate },
    (_, part) =>
      Array.from(
        { length: images },
        (_, i) => Math.floor(i / each) * all + part * each + i % each,
      ),
  );
}

/** Does something with the micro-batches of every lane, one after the other; all lanes at once. */
export async function inLanes<T>(
  split: Split,
  compute: (microBatches: readonly (readonly number[])[]) => Promise<T>,
): Promise<T[]> {
  const rows = microBatchRows(split);
  const each = rows.length / split.lanes;
  return await besides(
    split.lanes,
    (lane) => compute(rows.slice(lane * each, (lane + 1) * each)),
  );
}

/** Does something in all lanes at once; one that fails leaves no other at work. */
export async function besides<T>(
  lanes: number,
  compute: (lane: number) => Promise<T>,
): Promise<T[]> {
  const running = Array.from({ length: lanes }, (_, lane) => compute(lane));
  await Promise.allSettled(running);
  return await Promise.all(running);
}

/** What a run says of its micro-batches before the first step; nothing without any. */
export function accumulationNotes({ batch, accumulate, group, lanes, asked }: Split): string[] {
  if (accumulate === 1) return [];
  const images = batch / accumulate;
  if (!asked && images > 1) {
    const parts = `computes ${accumulate} parts of ${images} images`;
    if (lanes === 1) return [`${parts} one after the other`];
    return [accumulate === lanes ? `${parts} side by side` : `${parts}, ${lanes} at a time`];
  }
  if (!asked) return [`computes images ${lanes === 1 ? "one by one" : `${lanes} at a time`}`];
  const smaller = images < Math.min(group, batch)
    ? `; the minibatch deviation is that of ${images} images instead of ${Math.min(group, batch)}`
    : "";
  return [`adds the gradients of ${accumulate} micro-batches of ${images} images${smaller}`];
}

/** Some images of a batch `[N,...]`, or of the other arrays that have one row per image. */
export function takeRows({ shape, data }: HostArray, rows: readonly number[]): HostArray {
  const size = data.length / shape[0]!;
  const taken = new Float32Array(rows.length * size);
  rows.forEach((row, i) => taken.set(data.subarray(row * size, (row + 1) * size), i * size));
  return { shape: [rows.length, ...shape.slice(1)], data: taken };
}

/** The latents of some images; with mixing, their second styles too. */
export function takeLatents({ z, mix }: Latents, rows: readonly number[]): Latents {
  if (!mix[0]) return { z: takeRows(z, rows), mix: [] };
  const batch = mix[0].shape[0]!;
  const both = [...rows, ...rows.map((row) => batch + row)];
  return { z: takeRows(z, both), mix: [takeRows(mix[0], rows)] };
}

/**
 * The random numbers of some images: a draw with a row for each of them is that part of the batch's
 * draw, any other is the batch's own. `random` starts afresh for every micro-batch.
 */
export function randomOfRows(random: Random, rows: readonly number[], batch: number): Random {
  const part = (
    shape: readonly number[],
    draw: (shape: readonly number[]) => HostArray,
  ): HostArray =>
    shape[0] === rows.length ? takeRows(draw([batch, ...shape.slice(1)]), rows) : draw(shape);
  return {
    next: random.next,
    integer: random.integer,
    normal: (shape, deviation) => part(shape, (all) => random.normal(all, deviation)),
    uniform: (shape, minimum, maximum) =>
      part(shape, (all) => random.uniform(all, minimum, maximum)),
  };
}
