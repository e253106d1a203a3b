/**
 * Animated pictures.
 *
 * @module
 */
import { BitmapImage, GifCodec, GifFrame, GifUtil } from "gifwrap";
import { Buffer } from "node:buffer";
import type { HostArray } from "../core/contracts.ts";
import { imageShape } from "../core/image_stream.ts";
import { toBytes } from "../core/pixels.ts";

/** How {@linkcode animatedGif} plays. */
export interface AnimatedGifOptions {
  /** Time of a frame in hundredths of a second, the unit of the format; 6 by default. */
  readonly delayCentiseconds?: number;
  /** Side of the square that every pixel becomes; 1 by default. Never blurs. */
  readonly scale?: number;
}

/**
 * An animated GIF of images `[N,H,W,3]` in [-1, 1] that plays for ever. Each frame has its own 256
 * colours.
 */
export async function animatedGif(
  images: HostArray,
  { delayCentiseconds = 6, scale = 1 }: AnimatedGifOptions = {},
): Promise<Uint8Array> {
  const [count, height, width] = imageShape(images);
  const bytes = toBytes(images.data);
  const frames = Array.from({ length: count }, (_, i) => {
    const rgba = Buffer.alloc(4 * width * height * scale * scale, 255);
    for (let y = 0; y < height * scale; y++) {
      for (let x = 0; x < width * scale; x++) {
        const from = 3 *
          ((i * height + Math.floor(y / scale)) * width + Math.floor(x / scale));
        rgba.set(bytes.subarray(from, from + 3), 4 * (y * width * scale + x));
      }
    }
    const bitmap = new BitmapImage(width * scale, height * scale, rgba);
    return new GifFrame(bitmap, { delayCentisecs: delayCentiseconds });
  });
  for (const frame of frames) GifUtil.quantizeWu(frame, 256); // one palette each
  const { buffer } = await new GifCodec().encodeGif(frames, { loops: 0 });
  return new Uint8Array(buffer);
}
