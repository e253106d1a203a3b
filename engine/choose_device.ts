/**
 * What `--device auto` means on this machine.
 *
 * @module
 */
import { findAdapter } from "./adapter.ts";
import type { DeviceName, EngineName } from "./engine.ts";
import { findNativeAddon } from "./native.ts";

/** A device, and why: words for the engine's description. */
export interface DeviceChoice {
  readonly device: DeviceName;
  readonly reason: string;
}

/** CUDA where the engine has it, else WebGPU if there is a real GPU, else the CPU. */
export async function chooseDevice(engine: EngineName): Promise<DeviceChoice> {
  const chosen = (device: DeviceName, why: string) => ({
    device,
    reason: ` (chosen by auto: ${why})`,
  });
  if (engine === "openvino") return chosen("cpu", "OpenVINO computes on the CPU");
  if (await hasCuda(engine)) return chosen("cuda", "CUDA is ready");
  const adapter = await findAdapter();
  if (!adapter) return chosen("cpu", "no GPU was found");
  if (adapter.software) return chosen("cpu", `${adapter.name} is no real GPU`);
  return chosen("webgpu", `${adapter.name} was found and CUDA is not installed`);
}

async function hasCuda(engine: EngineName): Promise<boolean> {
  try {
    if (engine === "tfjs") {
      const addon = findNativeAddon();
      if (!addon?.cuda) return false;
      const { loadNativeBackend } = await import("./native.ts");
      await loadNativeBackend(addon, { device: "cuda", threads: navigator.hardwareConcurrency });
      return true;
    }
    const { probeOnnxDevice } = await import("./onnx_device.ts");
    await probeOnnxDevice("cuda");
    return true;
  } catch {
    return false; // what is missing is told to those who ask for CUDA by name
  }
}
