/** Who takes part: our engines and the peers. @module */
import { findOpenvino } from "../engine/find_openvino.ts";
import { openContestant } from "./contestant.ts";
import { CEILINGS, KERNELS } from "./kernels.ts";
import { layerFolder } from "./peers/layer_folder.ts";
import { scenarioFolder } from "./peers/scenario_folder.ts";
import type { Scenario } from "./scenarios.ts";

/** A contestant, not started yet. */
export interface Entry {
  readonly label: string;
  readonly command: readonly [string, ...string[]];
  /** See {@linkcode Result}. */
  readonly reference?: string;
  /** Whether it was asked for by name; if not, it is left out where it cannot begin. */
  readonly asked: boolean;
  /** What may help where it cannot begin. */
  readonly remedy?: string;
  /** Its own name of a workload; absent where it does not have it. */
  nameOf?(workload: string): string | undefined;
  /** Absent where it does not have such workloads. */
  load(scenario: Scenario | undefined): Promise<unknown>;
  /** What loads nothing but its libraries. */
  readonly probe: unknown;
}

/** Options of {@linkcode engineEntries}. */
export interface EngineEntryOptions {
  readonly threads: number;
  /** Engines, with their precision after a colon; absent: what is installed. */
  readonly engines?: string | undefined;
  readonly openvino?: string | undefined;
}

/** Those of the tasks: what a recording leaves behind shall not wait beside the first run. */
const V8_FLAGS = "--v8-flags=--max-semi-space-size=4";

/** Our engines. */
export function engineEntries({ threads, engines, openvino }: EngineEntryOptions): Entry[] {
  const found = findOpenvino(openvino);
  const path = "path" in found ? found.path : undefined;
  const labels = engines?.split(",") ?? ["onnx", ...path ? ["openvino", "openvino:bf16"] : []];
  return labels.map((label) => {
    const [engine, precision] = label.split(":");
    const options = {
      engine,
      threads,
      ...precision && { precision },
      ...engine === "openvino" && path && { openvino: path },
    };
    const script = new URL("./engine_contestant.ts", import.meta.url).pathname;
    return {
      label,
      command: [Deno.execPath(), "run", "-A", V8_FLAGS, script],
      asked: engines !== undefined,
      load: (scenario) => Promise.resolve({ engine: options, scenario: scenario?.name }),
      probe: { engine: options },
    };
  });
}

/** Options of {@linkcode peerEntries}. */
export interface PeerEntryOptions {
  readonly threads: number;
  readonly python?: string | undefined;
  readonly compile: boolean;
}

/** The same networks as a PyTorch program, and our exported generators in other runtimes. */
export function peerEntries(options: PeerEntryOptions): Entry[] {
  return [...torchEntries(options), ...exportedEntries(options)];
}

function pythonCommand(python: string | undefined, script: string): [string, string] {
  const environment = Deno.env.get("VIRTUAL_ENV");
  const program = python ?? (environment ? `${environment}/bin/python` : "python3");
  return [program, new URL(`./peers/${script}`, import.meta.url).pathname];
}

function exportedEntries({ threads, python }: PeerEntryOptions): Entry[] {
  return ["onnxruntime", "openvino"].map((runtime) => ({
    label: `${runtime} for Python`,
    command: pythonCommand(python, "exported_peer.py"),
    asked: false,
    nameOf: (name) => name.endsWith("image") ? name : undefined,
    load: async (scenario) =>
      scenario && { runtime, threads, folder: await scenarioFolder(scenario, { exported: true }) },
    probe: { runtime, threads },
  }));
}

function torchEntries({ threads, python, compile }: PeerEntryOptions): Entry[] {
  const entry = (
    label: string,
    reference: string,
    { nameOf = (name) => name, ...form }:
      & { readonly channelsLast?: boolean; readonly compile?: boolean }
      & Pick<Entry, "nameOf">,
  ): Entry => {
    const load = { threads, channelsLast: true, compile: false, ...form };
    return {
      label,
      reference,
      command: pythonCommand(python, "torch_peer.py"),
      asked: true,
      remedy: "--python PATH names a Python that has PyTorch",
      load: async (scenario) => ({
        ...load,
        folder: await (scenario ? scenarioFolder(scenario) : layerFolder()),
      }),
      nameOf: (name) => name in CEILINGS ? undefined : nameOf(name),
      probe: load,
    };
  };
  return [
    entry("torch", "PyTorch", { channelsLast: false }),
    entry("torch, channels last", "PyTorch", {}),
    // The order of the author's code.
    entry("torch, teacher twice", "teacher twice", {
      nameOf: (name) => name === "distillation step" ? `${name}, teacher twice` : undefined,
    }),
    ...compile
      ? [entry("torch.compile", "torch.compile", {
        compile: true,
        nameOf: (name) => name.includes("R1") || name in KERNELS ? undefined : name,
      })]
      : [],
  ];
}

/**
 * Those that can begin here. The others are left out, and `say` is told why.
 *
 * @throws {Error} If one that was asked for by name cannot begin.
 */
export async function ableEntries(
  entries: readonly Entry[],
  limitSeconds: number,
  say: (line: string) => void,
): Promise<Entry[]> {
  const able = await Promise.all(entries.map(async (entry) => {
    const { label, command, probe, asked, remedy } = entry;
    try {
      await (await openContestant({ label, command, load: probe, limitSeconds })).close();
      return [entry];
    } catch (error) {
      const { message } = error as Error;
      if (asked) throw new Error(remedy ? `${message}; ${remedy}` : message);
      say(`${label} is left out: ${message}`);
      return [];
    }
  }));
  return able.flat();
}
