/**
 * Reading of arrays that ONNX Runtime left on a device.
 *
 * @module
 */
import type * as Ort from "onnxruntime-node";
import type { HostArray } from "../core/contracts.ts";
import type { Program } from "./program.ts";
import { trace } from "./tracing.ts";

/** Copies arrays of a device to the host. */
export interface DeviceReader {
  /** Copies one; those that are asked for together are copied together. */
  read(tensor: Ort.Tensor): Promise<HostArray>;
  close(): void;
}

interface Wish {
  readonly tensor: Ort.Tensor;
  readonly resolve: (array: HostArray) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Makes one. ONNX Runtime for Node reads outputs of sessions only, so a session copies: one for all
 * arrays of a training's state, as one for each costs a turn of the device each.
 */
export function createDeviceReader(
  open: (program: Program) => Promise<Ort.InferenceSession>,
): DeviceReader {
  const sessions = new Map<string, Promise<Ort.InferenceSession>>();
  let wishes: Wish[] = [];

  const copy = async (tensors: readonly Ort.Tensor[]): Promise<HostArray[]> => {
    const shapes = tensors.map(({ dims }) => dims);
    const key = shapes.join(";");
    let session = sessions.get(key);
    if (!session) sessions.set(key, session = open(trace("read", shapes, (inputs) => [...inputs])));
    const feeds = Object.fromEntries(tensors.map((tensor, i) => [`in${i}`, tensor]));
    const results = await (await session).run(feeds);
    return shapes.map((shape, i) => ({ shape, data: results[`out${i}`]!.data as Float32Array }));
  };

  const fulfil = async () => {
    const taken = wishes;
    wishes = [];
    try {
      const arrays = await copy(taken.map(({ tensor }) => tensor));
      taken.forEach(({ resolve }, i) => resolve(arrays[i]!));
    } catch (error) {
      for (const { reject } of taken) reject(error);
    }
  };

  return {
    read: (tensor) =>
      new Promise((resolve, reject) => {
        if (wishes.push({ tensor, resolve, reject }) === 1) queueMicrotask(fulfil);
      }),
    close() {
      for (const session of sessions.values()) session.then((opened) => opened.release());
      sessions.clear();
    },
  };
}
