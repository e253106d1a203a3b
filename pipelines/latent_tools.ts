/**
 * Walks through the latent space: style mixing and interpolation, for teacher and student.
 *
 * @module
 */
import type { HostArray } from "../core/contracts.ts";
import type { Engine } from "../engine/mod.ts";
import { studentLastPx, studentStyleCount, teacherStyleCount } from "../networks/config.ts";
import type { Generator } from "../networks/generator.ts";
import { latentsOf, noiseOf } from "./generate_images.ts";
import { openGenerator } from "./run_generator.ts";

/** Rows of W+ that a generator reads. */
export function styleCountOf({ kind, config }: Generator): number {
  return kind === "teacher"
    ? teacherStyleCount(config.sizePx)
    : studentStyleCount(2 * studentLastPx(config));
}

/** Options of {@linkcode mixStyles}. */
export interface MixOptions {
  /** Seeds of the rows: they give the layers below `from`. */
  readonly rows: readonly number[];
  /** Seeds of the columns: they give the layers from `from` on. */
  readonly columns: readonly number[];
  /** First layer that takes the column's style; by default a third of the way up. */
  readonly from?: number;
  /** Psi of the truncation trick; 0.7 by default. */
  readonly truncation?: number;
  /** Seed of the noise maps; 0 by default. */
  readonly noiseSeed?: number;
}

/**
 * Style mixing: the images of every row's coarse styles with every column's fine styles.
 *
 * @returns `[(rows + 1) (columns + 1),S,S,3]`, a table: the first row shows the columns' own images
 * (after an empty corner), the first column the rows' own.
 */
export async function mixStyles(
  generator: Generator,
  { rows, columns, from, truncation = 0.7, noiseSeed = 0 }: MixOptions,
  { engine }: { readonly engine: Engine },
): Promise<HostArray> {
  const layers = styleCountOf(generator);
  const cut = from ?? Math.ceil(layers / 3);
  if (!Number.isInteger(cut) || cut < 0 || cut > layers) {
    throw new RangeError(
      `Cannot mix styles: expected "from" to be a layer from 0 to ${layers} but received ${cut}`,
    );
  }
  const { styleDim: d, sizePx } = generator.config;
  const running = openGenerator(generator, engine);
  try {
    const seeds = [...rows, ...columns];
    const w = await running.styles(latentsOf(seeds, d), { truncation });
    const style = (i: number) => w.data.subarray(i * d, (i + 1) * d);
    const pairs = [
      ...columns.map((_, c) => [rows.length + c, rows.length + c] as const),
      ...rows.flatMap((_, r) => [
        [r, r] as const,
        ...columns.map((_, c) => [r, rows.length + c] as const),
      ]),
    ];
    const data = new Float32Array(pairs.length * layers * d);
    pairs.forEach(([coarse, fine], i) => {
      for (let layer = 0; layer < layers; layer++) {
        data.set(style(layer < cut ? coarse : fine), (i * layers + layer) * d);
      }
    });
    const mixed = { shape: [pairs.length, layers, d], data };
    const { image } = await running.images(mixed, noiseOf(noiseSeed, sizePx));
    const size = image.data.length / pairs.length;
    const table = new Float32Array(image.data.length + size).fill(1); // a white corner
    table.set(image.data, size);
    return { shape: [pairs.length + 1, ...image.shape.slice(1)], data: table };
  } finally {
    await running.dispose();
  }
}

/** Options of {@linkcode interpolateStyles}. */
export interface InterpolateOptions {
  /** The images on the way, in order. */
  readonly seeds: readonly number[];
  /** Frames from each seed to the next. */
  readonly frames?: number;
  /** Back to the first seed at the end. */
  readonly loop?: boolean;
  /** Psi of the truncation trick; 0.7 by default. */
  readonly truncation?: number;
  /** Seed of the noise maps; 0 by default. */
  readonly noiseSeed?: number;
}

/**
 * A walk through W in straight lines from seed to seed, with fixed noise.
 *
 * @returns `[frames,S,S,3]`; the last seed itself is the last frame unless the walk is a loop.
 */
export async function interpolateStyles(
  generator: Generator,
  { seeds, frames = 8, loop = false, truncation = 0.7, noiseSeed = 0 }: InterpolateOptions,
  { engine }: { readonly engine: Engine },
): Promise<HostArray> {
  if (seeds.length < 2) {
    throw new RangeError(
      `Cannot interpolate: expected at least 2 seeds but received ${seeds.length}`,
    );
  }
  if (!Number.isInteger(frames) || frames < 1) {
    throw new RangeError(
      `Cannot interpolate: expected "frames" to be an integer of at least 1 but received ${frames}`,
    );
  }
  const { styleDim: d, sizePx } = generator.config;
  const running = openGenerator(generator, engine);
  try {
    const w = await running.styles(latentsOf(seeds, d), { truncation });
    const legs = loop ? seeds.length : seeds.length - 1;
    const count = legs * frames + (loop ? 0 : 1);
    const data = new Float32Array(count * d);
    for (let frame = 0; frame < count; frame++) {
      const leg = Math.floor(frame / frames);
      const t = (frame % frames) / frames;
      const [a, b] = [leg % seeds.length, (leg + 1) % seeds.length];
      for (let k = 0; k < d; k++) {
        data[frame * d + k] = (1 - t) * w.data[a * d + k]! + t * w.data[b * d + k]!;
      }
    }
    const { image } = await running.images({ shape: [count, d], data }, noiseOf(noiseSeed, sizePx));
    return image;
  } finally {
    await running.dispose();
  }
}
