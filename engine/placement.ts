/**
 * Where ONNX Runtime placed the nodes of a graph: it tells only by a profile, in a file.
 *
 * @module
 */
import type { InferenceSession } from "onnxruntime-node";
import type { DeviceName } from "./engine.ts";

const PROVIDER: Readonly<Record<DeviceName, string>> = {
  cpu: "CPUExecutionProvider",
  webgpu: "WebGpuExecutionProvider",
  cuda: "CUDAExecutionProvider",
};

interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  readonly args?: { readonly provider?: string; readonly op_name?: string };
}

/** Counts nodes by provider in a profile: `all 120 nodes on webgpu`, or those that are not. */
export function placementWords(
  events: readonly ProfileEvent[],
  name: string,
  device: DeviceName,
): string {
  const nodes = new Map<string, string>(); // by name: a node may run in several kernels
  let onDevice = 0;
  const elsewhere = new Map<string, number>();
  for (const { cat, name, args } of events) {
    if (cat !== "Node" || !args?.provider || nodes.has(name)) continue;
    nodes.set(name, args.provider);
    const operator = args.op_name ?? "?";
    if (args.provider === PROVIDER[device]) onDevice++;
    else elsewhere.set(operator, (elsewhere.get(operator) ?? 0) + 1);
  }
  if (elsewhere.size === 0) return `"${name}": all ${onDevice} nodes on ${device}`;
  const list = [...elsewhere].sort(([, a], [, b]) => b - a).map(([operator, n]) =>
    `${n} ${operator}`
  );
  const count = [...elsewhere.values()].reduce((sum, n) => sum + n, 0);
  return `"${name}": ${onDevice} nodes on ${device}, ${count} on the CPU (${list.join(", ")})`;
}

/** A folder for one session's profile, and what is read from it after the first run. */
export interface Placement {
  /** Options of the session. */
  readonly options: { readonly enableProfiling: true; readonly profileFilePrefix: string };
  /** Ends the profile of a session that has run once, and tells where its nodes were. */
  words(session: InferenceSession, name: string, device: DeviceName): Promise<string>;
  /** Removes the folder. */
  close(): Promise<void>;
}

/** Prepares to watch one session. */
export async function watchPlacement(): Promise<Placement> {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-placement-" });
  return {
    options: { enableProfiling: true, profileFilePrefix: `${folder}/profile` },
    async words(session, name, device) {
      session.endProfiling();
      for await (const file of Deno.readDir(folder)) {
        const events = JSON.parse(await Deno.readTextFile(`${folder}/${file.name}`));
        return placementWords(events, name, device);
      }
      return `"${name}": ONNX Runtime wrote no profile`;
    },
    close: () => Deno.remove(folder, { recursive: true }),
  };
}
