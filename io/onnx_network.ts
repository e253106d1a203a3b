/**
 * Other people's networks as ONNX files: images in, features out.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { bilinearMatrix } from "../core/axis_matrix.ts";
import type { HostArray } from "../core/contracts.ts";
import { messageOf, quote } from "./describe.ts";

/** Values that a network expects of its images. */
export type ImageRange = "-1..1" | "0..1" | "0..255";

/** An ONNX file with one image input and one feature output. */
export interface OnnxNetwork {
  /** CRC-32 of the file. */
  readonly checksum: string;
  /** How images are given: `float32 [N,3,224,224], values -1..1`. */
  readonly input: string;
  /** Features `[N,D]` of images `[N,H,W,3]` in [-1, 1]; what follows the first axis is flattened. */
  run(images: HostArray): Promise<HostArray>;
  dispose(): Promise<void>;
}

/** How {@linkcode openOnnxNetwork} opens. */
export interface OnnxNetworkOptions {
  /** The values that the network expects. Default: `-1..1`. */
  readonly range?: ImageRange;
  readonly threads?: number;
}

interface Input {
  readonly name: string;
  /** The batch that the file asks for; any if it is no number. */
  readonly batch: number | undefined;
  readonly size: readonly [height: number | undefined, width: number | undefined];
  readonly channelsFirst: boolean;
  readonly text: string;
}

type Session = Awaited<
  ReturnType<(typeof import("onnxruntime-node"))["InferenceSession"]["create"]>
>;

/**
 * Opens a network that turns RGB images into features.
 *
 * Its input is `[N,3,H,W]` or `[N,H,W,3]` in float32. Where H and W are fixed, images are resized
 * bilinearly (half-pixel centres, no antialiasing); where N is, that many are run at a time.
 *
 * @throws {SyntaxError} If the file is no ONNX model.
 * @throws {RangeError} If it does not have one image input and one output.
 */
export async function openOnnxNetwork(
  path: string,
  { range = "-1..1", threads }: OnnxNetworkOptions = {},
): Promise<OnnxNetwork> {
  const bytes = await Deno.readFile(path);
  const ort = await import("onnxruntime-node");
  let session: Session;
  try {
    session = await ort.InferenceSession.create(bytes, {
      logSeverityLevel: 3,
      extra: { session: { intra_op: { allow_spinning: "0" } } },
      ...threads !== undefined && { intraOpNumThreads: threads },
    });
  } catch (error) {
    throw new SyntaxError(
      `Cannot open the network ${quote(path)}: expected an ONNX model but received ${
        quote(messageOf(error))
      }`,
      { cause: error },
    );
  }
  try {
    const input = imageInput(session, path);
    const [output] = session.outputNames;
    const runBatch = async (images: HostArray): Promise<HostArray> => {
      const { shape, data } = prepared(images, input, range);
      const feeds = { [input.name]: new ort.Tensor("float32", data, shape) };
      const result = (await session.run(feeds))[output!]!;
      return flattened(result, images.shape[0]!, path);
    };
    return {
      checksum: crc32(bytes).toString(16).padStart(8, "0"),
      input: `${input.text}, values ${range}`,
      run: (images) => inBatches(images, input.batch, runBatch),
      dispose: () => session.release(),
    };
  } catch (error) {
    await session.release();
    throw error;
  }
}

function imageInput(session: Session, path: string): Input {
  const { inputMetadata, outputNames } = session;
  const described = inputMetadata.map((meta) =>
    meta.isTensor ? `${meta.name} ${meta.type} [${meta.shape}]` : meta.name
  );
  const [meta] = inputMetadata;
  const sizes = meta?.isTensor ? meta.shape.map((n) => typeof n === "number" ? n : undefined) : [];
  const channelsFirst = sizes[1] === 3;
  const isImage = inputMetadata.length === 1 && meta?.isTensor && meta.type === "float32" &&
    sizes.length === 4 && (channelsFirst || sizes[3] === 3);
  if (!isImage || outputNames.length !== 1) {
    throw new RangeError(
      `Cannot take features of ${
        quote(path)
      }: expected one input, float32 [N,3,H,W] or [N,H,W,3], and one output but received inputs ${
        described.join(", ")
      } and outputs ${outputNames.join(", ")}`,
    );
  }
  const [height, width] = channelsFirst ? sizes.slice(2) : sizes.slice(1);
  return {
    name: meta.name,
    batch: sizes[0],
    size: [height, width],
    channelsFirst,
    text: `float32 [${meta.shape}]`,
  };
}

const scales: Readonly<Record<ImageRange, readonly [factor: number, shift: number]>> = {
  "-1..1": [1, 0],
  "0..1": [0.5, 0.5],
  "0..255": [127.5, 127.5],
};

/** The images in the size, the values and the layout that the network expects. */
function prepared(images: HostArray, { size, channelsFirst }: Input, range: ImageRange): HostArray {
  const [n, height, width] = images.shape as [number, number, number, number];
  const [toHeight = height, toWidth = width] = size;
  const [factor, shift] = scales[range];
  const resized = resizedTo(images, toHeight, toWidth);
  const values = resized.data.map((value) => factor * value + shift);
  if (!channelsFirst) return { shape: [n, toHeight, toWidth, 3], data: values };
  const plane = toHeight * toWidth;
  const data = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const [pixel, channel] = [Math.floor(i / 3), i % 3];
    const [image, place] = [Math.floor(pixel / plane), pixel % plane];
    data[(image * 3 + channel) * plane + place] = values[i]!;
  }
  return { shape: [n, 3, toHeight, toWidth], data };
}

/** One axis after the other, by the two neighbours that each row of the matrix has. */
function resizedTo(images: HostArray, toHeight: number, toWidth: number): HostArray {
  const [n, height, width] = images.shape as [number, number, number, number];
  const tall = alongAxis(images.data, { outer: n, from: height, to: toHeight, inner: width * 3 });
  const data = alongAxis(tall, { outer: n * toHeight, from: width, to: toWidth, inner: 3 });
  return { shape: [n, toHeight, toWidth, 3], data };
}

function alongAxis(
  data: Float32Array,
  { outer, from, to, inner }: {
    readonly outer: number;
    readonly from: number;
    readonly to: number;
    readonly inner: number;
  },
): Float32Array {
  if (from === to) return data;
  const matrix = bilinearMatrix(from, to, { alignCorners: false });
  const result = new Float32Array(outer * to * inner);
  for (let row = 0; row < to; row++) {
    for (let column = 0; column < from; column++) {
      const weight = matrix.data[row * from + column]!;
      if (weight === 0) continue;
      for (let o = 0; o < outer; o++) {
        const [source, target] = [(o * from + column) * inner, (o * to + row) * inner];
        for (let i = 0; i < inner; i++) result[target + i]! += weight * data[source + i]!;
      }
    }
  }
  return result;
}

function flattened(
  { dims, data, type }: { dims: readonly number[]; data: unknown; type: string },
  count: number,
  path: string,
): HostArray {
  if (type !== "float32" || dims[0] !== count || dims.length < 2) {
    throw new RangeError(
      `Cannot take features of ${
        quote(path)
      }: expected an output of float32 [${count},...] but received ${type} [${dims}]`,
    );
  }
  const values = data as Float32Array;
  return { shape: [count, values.length / count], data: values };
}

/** Runs as many images at a time as the file asks for; missing ones of the last batch repeat. */
async function inBatches(
  images: HostArray,
  batch: number | undefined,
  run: (images: HostArray) => Promise<HostArray>,
): Promise<HostArray> {
  const count = images.shape[0]!;
  if (batch === undefined || batch === count) return await run(images);
  const size = images.data.length / count;
  const parts: Float32Array[] = [];
  let width = 0;
  for (let first = 0; first < count; first += batch) {
    const data = new Float32Array(batch * size);
    for (let i = 0; i < batch; i++) {
      const from = Math.min(first + i, count - 1) * size;
      data.set(images.data.subarray(from, from + size), i * size);
    }
    const result = await run({ shape: [batch, ...images.shape.slice(1)], data });
    width = result.shape[1]!;
    parts.push(result.data.subarray(0, Math.min(batch, count - first) * width));
  }
  const data = new Float32Array(count * width);
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return { shape: [count, width], data };
}
