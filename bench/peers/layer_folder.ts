/** What peers are given of kernels and layers: one folder with the inputs of all. @module */
import { KERNELS } from "../kernels.ts";
import { writeArrays } from "./arrays.ts";

let folder: Promise<string> | undefined;

/** The folder, whose arrays are named `workload/input`; its config is empty. */
export function layerFolder(): Promise<string> {
  const arrays = Object.entries(KERNELS).flatMap(([workload, { inputs }]) =>
    Object.entries(inputs()).map(([name, array]) => [`${workload}/${name}`, array] as const)
  );
  return folder ??= writeArrays(Object.fromEntries(arrays), {});
}

/** Removes it, if it was written. */
export async function removeLayerFolder(): Promise<void> {
  if (folder) await Deno.remove(await folder, { recursive: true });
}
