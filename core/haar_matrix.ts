/**
 * The Haar transform as numbers, and the order in which its bands lie among channels.
 *
 * @module
 */

/**
 * Both transforms are this symmetric orthonormal matrix on the four numbers of a 2x2 cell:
 * (A, B, C, D) in reading order <-> (LL, LH, HL, HH), LH high along height, HL high along width.
 */
export const haarMatrix: readonly (readonly number[])[] = [
  [0.5, 0.5, 0.5, 0.5],
  [0.5, 0.5, -0.5, -0.5],
  [0.5, -0.5, 0.5, -0.5],
  [0.5, -0.5, -0.5, 0.5],
];

/** The place of a band of a channel: LL of all `channels`, then LH, HL, HH of each. */
export function bandPlace(channel: number, band: number, channels: number): number {
  return band === 0 ? channel : channels + 3 * channel + band - 1;
}

/** `[4C,4C]`, bands to the pixels of a cell: pixel by pixel, each with all its channels. */
export function bandsToPixels(channels: number): Float32Array {
  const size = 4 * channels;
  const matrix = new Float32Array(size * size);
  for (let channel = 0; channel < channels; channel++) {
    haarMatrix.forEach((numbers, band) => {
      const row = bandPlace(channel, band, channels) * size;
      numbers.forEach((number, pixel) => matrix[row + pixel * channels + channel] = number);
    });
  }
  return matrix;
}
