/**
 * Between images in [-1, 1] and the bytes of files, by one protocol for pictures and for metrics.
 *
 * @module
 */

/**
 * Bytes of images in [-1, 1]: `floor(clamp(127.5 x + 128, 0, 255))`, the protocol with which
 * published StyleGAN metrics are computed (truncated, not rounded). Values outside are clamped.
 *
 * @throws {RangeError} If a value is not a number.
 */
export function toBytes(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = 127.5 * values[i]! + 128;
    // Also true for NaN, which a clamped array would silently turn black.
    if (!(value >= 0 && value < 256)) {
      if (Number.isNaN(value)) {
        throw new RangeError(
          `Cannot convert an image to bytes: expected numbers but received NaN at position ${i}`,
        );
      }
      bytes[i] = value < 0 ? 0 : 255;
    } else {
      bytes[i] = value;
    }
  }
  return bytes;
}

/** Images in [-1, 1] of bytes: `x / 127.5 - 1`. `toBytes` gives the same bytes back. */
export function fromBytes(bytes: ArrayLike<number>): Float32Array {
  const values = new Float32Array(bytes.length);
  for (let i = 0; i < values.length; i++) values[i] = bytes[i]! / 127.5 - 1;
  return values;
}
