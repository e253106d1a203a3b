/**
 * What a training says when its device fails.
 *
 * @module
 */
import { DeviceError } from "../engine/mod.ts";

/** An error of a device, with what stands and how to go on; any other error as it is. */
export function withCheckpoint(error: unknown, checkpoint: string | undefined): unknown {
  if (!(error instanceof DeviceError)) return error;
  const stands = checkpoint === undefined
    ? "there is no checkpoint yet, so the same command starts again"
    : `the checkpoint "${checkpoint}" stands, and the same command goes on from there`;
  return new DeviceError(`${error.message}; ${stands}`, error.fault, { cause: error });
}
