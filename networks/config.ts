/**
 * The shapes of the networks: plain JSON, checked by one function each.
 *
 * @module
 */
import type { PartChoice } from "../core/contracts.ts";

/** A StyleGAN2 generator: mapping network and skip synthesis network. */
export interface TeacherConfig {
  /** Side of the image in pixels: a power of two from 16 to 1024. */
  readonly sizePx: number;
  /** Length of z and of w. */
  readonly styleDim: number;
  /** Fully connected layers of the mapping network. */
  readonly mappingLayers: number;
  /** Channels at 4, 8, ..., `sizePx`. */
  readonly channels: readonly number[];
  /** Largest magnitude of what a convolution gives, as in StyleGAN2-ADA; absent: none. */
  readonly convClamp?: number;
}

/** A MobileStyleGAN generator: the teacher's mapping network and a student of exchangeable parts. */
export interface StudentConfig {
  /** Side of the image in pixels: a power of two from 16 to 1024. */
  readonly sizePx: number;
  /** Length of z and of w. */
  readonly styleDim: number;
  /** Fully connected layers of the mapping network. */
  readonly mappingLayers: number;
  /**
   * Channels at 4, 8, ..., `sizePx` / 2: the last inverse wavelet transform gives `sizePx`. In the
   * pixel domain at 4, 8, ..., `sizePx`.
   */
  readonly channels: readonly number[];
  /**
   * What heads predict: wavelet bands (default, the paper's), or colours. Colours need feature maps
   * of the full size: one block more.
   */
  readonly domain?: "wavelet" | "pixel";
  /** How feature maps are doubled. */
  readonly upscale: PartChoice;
  /** The two convolutions of every block. */
  readonly conv: PartChoice;
  /** How their outputs are normalised. */
  readonly demodulation: PartChoice;
  /** How images are predicted. */
  readonly head: PartChoice;
  /** Whether every scale has a head, as training needs; false leaves what inference needs. */
  readonly auxiliary: boolean;
  /** Whether demodulation is merged into the weights of every convolution that offers `fuse`. */
  readonly fused?: boolean;
}

/** A residual StyleGAN2 discriminator. */
export interface DiscriminatorConfig {
  /** Side of the image in pixels: a power of two from 16 to 1024. */
  readonly sizePx: number;
  /** Channels at 4, 8, ..., `sizePx`. */
  readonly channels: readonly number[];
  /** Images per group of the minibatch standard deviation; smaller batches are one group. */
  readonly stddevGroup: number;
  /** Largest magnitude of what a convolution gives, as in StyleGAN2-ADA; absent: none. */
  readonly convClamp?: number;
}

/** Smallest side of a network's image in pixels. */
export const minimumSizePx = 16;
/** Largest side of a network's image in pixels. */
export const maximumSizePx = 1024;

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}

function checkSize(sizePx: number, what: string): void {
  const known = Number.isInteger(Math.log2(sizePx)) && sizePx >= minimumSizePx &&
    sizePx <= maximumSizePx;
  if (!known) {
    throw new RangeError(
      `Cannot build ${what}: expected "sizePx" to be a power of two from ${minimumSizePx} to ${maximumSizePx} but received ${
        show(sizePx)
      }`,
    );
  }
}

function checkCount(value: number, name: string, what: string, minimum = 1): void {
  if (!Number.isInteger(value) || value < minimum) {
    throw new RangeError(
      `Cannot build ${what}: expected "${name}" to be an integer of at least ${minimum} but received ${
        show(value)
      }`,
    );
  }
}

function checkClamp(value: number | undefined, what: string): void {
  if (value !== undefined && !(Number.isFinite(value) && value > 0)) {
    throw new RangeError(
      `Cannot build ${what}: expected "convClamp" to be a number above 0 but received ${
        show(value)
      }`,
    );
  }
}

function checkChannels(channels: readonly number[], lastPx: number, what: string): void {
  const count = Math.log2(lastPx) - 1;
  const valid = channels.length === count && channels.every((c) => Number.isInteger(c) && c > 0);
  if (!valid) {
    throw new RangeError(
      `Cannot build ${what}: expected "channels" to be ${count} positive integers, one for each of ${
        sizesTo(lastPx).join(", ")
      } px, but received ${show(channels)}`,
    );
  }
}

/**
 * Checks a teacher's configuration.
 *
 * @throws {RangeError} naming the field, the rule and the value
 */
export function checkTeacherConfig(config: TeacherConfig): void {
  const what = "the teacher";
  checkSize(config.sizePx, what);
  checkCount(config.styleDim, "styleDim", what);
  checkCount(config.mappingLayers, "mappingLayers", what);
  checkChannels(config.channels, config.sizePx, what);
  checkClamp(config.convClamp, what);
}

/**
 * Checks the shapes of a student's configuration; its parts are checked by the registry.
 *
 * @throws {RangeError} naming the field, the rule and the value
 */
export function checkStudentConfig(config: StudentConfig): void {
  const what = "the student";
  checkSize(config.sizePx, what);
  checkCount(config.styleDim, "styleDim", what);
  checkCount(config.mappingLayers, "mappingLayers", what);
  checkChannels(config.channels, studentLastPx(config), what);
}

/** Side in pixels of a student's last feature maps. */
export function studentLastPx(
  { sizePx, domain }: Pick<StudentConfig, "sizePx" | "domain">,
): number {
  return domain === "pixel" ? sizePx : sizePx / 2;
}

/**
 * Checks a discriminator's configuration.
 *
 * @throws {RangeError} naming the field, the rule and the value
 */
export function checkDiscriminatorConfig(config: DiscriminatorConfig): void {
  const what = "the discriminator";
  checkSize(config.sizePx, what);
  checkCount(config.stddevGroup, "stddevGroup", what);
  checkClamp(config.convClamp, what);
  checkChannels(config.channels, config.sizePx, what);
}

/** The sizes in pixels of a network's feature maps: 4, 8, ..., `lastPx`. */
export function sizesTo(lastPx: number): number[] {
  return Array.from({ length: Math.log2(lastPx) - 1 }, (_, i) => 4 * 2 ** i);
}

/**
 * The channels of StyleGAN2 at 4, 8, ..., `sizePx`: `base` divided by the size, at most `maximum`.
 *
 * `base` 32768 is config-f (channel multiplier 2), 16384 half of it. Source: Karras et al., CVPR
 * 2020, and its reference code.
 *
 * @example Config-f at 64 px
 * ```ts
 * import { channelsOf } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(channelsOf(64), [512, 512, 512, 512, 512]);
 * assert.deepEqual(channelsOf(64, { base: 4096, maximum: 128 }), [128, 128, 128, 128, 64]);
 * ```
 */
export function channelsOf(
  sizePx: number,
  { base = 32768, maximum = 512 }: { readonly base?: number; readonly maximum?: number } = {},
): number[] {
  return sizesTo(sizePx).map((size) => Math.max(1, Math.min(Math.floor(base / size), maximum)));
}

/**
 * The shapes `[batch,r,r,1]` of the noise maps in the order of the layers: one at 4 px, then two at
 * each of 8, 16, ..., `lastPx`. A teacher has them to `sizePx`, a student to `sizePx` / 2: a prefix.
 */
export function noiseShapes(lastPx: number, batch = 1): [number, number, number, number][] {
  return sizesTo(lastPx).flatMap((size) => {
    const shape = (): [number, number, number, number] => [batch, size, size, 1];
    return size === 4 ? [shape()] : [shape(), shape()];
  });
}

/** Rows of the teacher's W+: one per convolution, the RGB layers share the next one's (18 at 1024). */
export function teacherStyleCount(sizePx: number): number {
  return 2 * Math.log2(sizePx) - 2;
}

/**
 * Rows of the W+ that a student of wavelet bands reads (22 at 1024); the author's files declare one
 * more. A student in the pixel domain reads as many as one of twice its size.
 */
export function studentStyleCount(sizePx: number): number {
  return 3 * (Math.log2(sizePx) - 3) + 1;
}
