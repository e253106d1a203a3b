/**
 * Errors of devices, told apart by what a run can do about them.
 *
 * @module
 */
import type { DeviceName, EngineName } from "./engine.ts";

/** Why a device failed: it is gone with all that lay on it, it is full, or a limit of it was met. */
export type DeviceFault = "lost" | "memory" | "limit";

/** A device failed while it computed; `fault` says how. */
export class DeviceError extends Error {
  /** Tells it from other errors. */
  override readonly name = "DeviceError";
  /** Makes one; `fault` says why the device failed. */
  constructor(message: string, readonly fault: DeviceFault, options?: ErrorOptions) {
    super(message, options);
  }
}

/** Of ONNX Runtime's WebGPU both for a buffer past the limits and for a memory that is full. */
const NO_BUFFER = /invalid due to a previous error/i;

const FAULTS: readonly (readonly [DeviceFault, RegExp, string])[] = [
  [
    "lost",
    /device\]? (?:was |is )?(?:lost|destroyed|hung)|lost (?:the )?device|DEVICE_LOST|CUDA_ERROR_(?:ECC|ILLEGAL|LAUNCH)/i,
    "the device to stay but it was lost, and what lay on it is gone; see the system's log for a reset of its driver",
  ],
  [
    "limit",
    /(?:buffer|binding)[ _]?size|storage buffers|max(?:Storage)?Buffer|larger than the max|exceeds? the max/i,
    "it to keep to the device's limits but it does not; use a smaller batch",
  ],
  [
    "memory",
    /out of (?:device )?memory|OUT_OF_(?:DEVICE_|HOST_)?MEMORY|OOM|failed to allocate|CreateBuffer|allocation failed/i,
    "the device to have enough memory but it is full; use a smaller batch",
  ],
];

/** What was running where. */
export interface DeviceTask {
  readonly task: string;
  readonly engine: EngineName;
  readonly device: DeviceName;
  /** Whether it has an array larger than the device's buffers may be. */
  readonly isTooLarge?: boolean;
}

/** What a library threw, as a {@linkcode DeviceError} if its text says that the device failed. */
export function deviceError(
  cause: unknown,
  { task, engine, device, isTooLarge = false }: DeviceTask,
): unknown {
  if (cause instanceof DeviceError || device === "cpu") return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  const noBuffer = isTooLarge ? "limit" : "memory";
  const found = FAULTS.find(([fault, pattern]) =>
    NO_BUFFER.test(text) ? fault === noBuffer : pattern.test(text)
  );
  if (!found) return cause;
  const [fault, , rule] = found;
  return new DeviceError(
    `Cannot run "${task}" on ${device} with ${engine}: expected ${rule}`,
    fault,
    {
      cause,
    },
  );
}
