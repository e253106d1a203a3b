/**
 * Images as they come, batch by batch, for whatever measures them.
 *
 * @module
 */
import type { HostArray } from "./contracts.ts";
import { toBytes } from "./pixels.ts";

/** Batches `[N,H,W,3]` in [-1, 1], such as `[array]` or a generator. */
export type ImageStream = Iterable<HostArray> | AsyncIterable<HostArray>;

/** Images as bytes: a quarter of the memory, and what a file would hold. */
export interface ByteImages {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** Row-major `[N,H,W,3]`. */
  readonly data: Uint8Array;
}

/**
 * Reads a stream to its end by the protocol of {@linkcode toBytes}.
 *
 * @throws {RangeError} If there is no image, or images differ in shape.
 */
export async function collectBytes(stream: ImageStream): Promise<ByteImages> {
  const batches: ByteImages[] = [];
  for await (const batch of stream) batches.push(bytesOf(batch));
  const [first] = batches;
  if (!first) throw new RangeError("Cannot measure images: expected some but received none");
  const { height, width } = first;
  const data = new Uint8Array(batches.reduce((size, batch) => size + batch.data.length, 0));
  let offset = 0;
  for (const batch of batches) {
    checkSameSize(batch, first);
    data.set(batch.data, offset);
    offset += batch.data.length;
  }
  return { count: batches.reduce((sum, { count }) => sum + count, 0), height, width, data };
}

/** The bytes of one batch. */
export function bytesOf(images: HostArray): ByteImages {
  const [count, height, width] = imageShape(images);
  return { count, height, width, data: toBytes(images.data) };
}

/** Refuses to compare images of two sizes. */
export function checkSameSize(
  images: { readonly height: number; readonly width: number },
  reference: { readonly height: number; readonly width: number },
): void {
  if (images.height !== reference.height || images.width !== reference.width) {
    throw new RangeError(
      `Cannot compare images: expected ${reference.height} x ${reference.width} px but received ` +
        `${images.height} x ${images.width} px`,
    );
  }
}

/** `[N,H,W]` of `[N,H,W,3]`. */
export function imageShape({ shape }: HostArray): readonly [number, number, number] {
  const [count, height, width, channels] = shape;
  if (shape.length !== 4 || channels !== 3 || !count || !height || !width) {
    throw new RangeError(
      `Cannot measure images: expected images of shape [N,H,W,3] but received [${shape}]`,
    );
  }
  return [count, height, width];
}
