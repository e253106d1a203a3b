/**
 * The GPU that WebGPU offers, as Deno sees it.
 *
 * @module
 */

/** A GPU, or a program that stands in for one. */
export interface Adapter {
  /** As its driver calls it. */
  readonly name: string;
  /** Whether it is a program on the CPU: right, and slow. */
  readonly software: boolean;
  /** Largest buffer, in bytes. */
  readonly maxBufferBytes: number;
  /** Largest part of a buffer that one kernel sees, in bytes. */
  readonly maxBindingBytes: number;
}

const SOFTWARE = /swiftshader|llvmpipe|lavapipe|software|basic render/i;

/** The adapter that the machine offers first; `undefined` if there is none. */
export async function findAdapter(): Promise<Adapter | undefined> {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) return undefined;
  const { info, limits } = adapter;
  const { description, device, vendor, isFallbackAdapter } = info as GPUAdapterInfo & {
    readonly isFallbackAdapter?: boolean;
  };
  const name = description || device || vendor || "unknown adapter";
  return {
    name: name.replace(/\s+/g, " ").trim(),
    software: isFallbackAdapter === true || SOFTWARE.test(name),
    maxBufferBytes: limits.maxBufferSize,
    maxBindingBytes: limits.maxStorageBufferBindingSize,
  };
}

/** An adapter in a description: `llvmpipe (a software adapter: slow)`. */
export function adapterWords({ name, software }: Adapter): string {
  return software ? `${name} (a software adapter: slow)` : name;
}

/** What to do where there is no adapter. */
export const NO_ADAPTER =
  "a GPU's driver with Vulkan; install the vendor's, or the free ones with `apt-get install libvulkan1 mesa-vulkan-drivers`";
