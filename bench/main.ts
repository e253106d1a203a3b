/**
 * `deno task bench`: times the training steps and images of our engines, and of peers, in one run and
 * in turn, and prints a table with ratios.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { type Contestant, openContestant, type Timing } from "./contestant.ts";
import { findOpenvino } from "../engine/find_openvino.ts";
import { CEILINGS, KERNELS } from "./kernels.ts";
import { gigabytesPerSecond, layerTable } from "./layers.ts";
import { writeArrays } from "./peers/arrays.ts";
import { type Scenario, scenarioArrays, scenarioNumbers, SCENARIOS } from "./scenarios.ts";
import { median, type Result, sorted } from "./result.ts";
import { table } from "./table.ts";
import { WORKLOADS } from "./workloads.ts";

const HELP = `Times training steps and images on our engines, in one run and in turn.

  --only TEXT      workloads whose name, or that of their sizes, has TEXT in it; may be repeated
  --engines LIST   onnx, openvino, openvino:bf16, tfjs; by default all but tfjs that are installed
  --openvino PATH  where OpenVINO is, if not in the active Python environment
  --layers         kernels and layers only, and how far each is from the machine's ceilings,
                   on one thread
  --peers          the same steps as a PyTorch program; --python PATH says which Python has PyTorch
  --compile        with --peers: torch.compile too; it needs a C++ compiler, and minutes
  --threads N      by default all cores
  --rounds N       rounds of taking turns (5)
  --json PATH      writes everything that was measured
`;

/** A contestant, not started yet. */
interface Entry {
  readonly label: string;
  readonly command: readonly [string, ...string[]];
  /** Its own name of a workload; absent where it does not have it. */
  nameOf?(workload: string): string | undefined;
  /** Absent where it does not have such workloads. */
  load(scenario: Scenario | undefined): Promise<unknown>;
  readonly peer: boolean;
}

const args = parseArgs(Deno.args, {
  string: ["only", "engines", "openvino", "python", "threads", "rounds", "json"],
  boolean: ["help", "compile", "layers", "peers"],
  collect: ["only"],
});

async function main(): Promise<void> {
  if (args.help) return console.log(HELP);
  const threads = args.layers ? 1 : Number(args.threads ?? navigator.hardwareConcurrency);
  const entries = [...engineEntries(threads), ...args.peers ? peerEntries(threads) : []];
  const wanted = (name: string) =>
    args.only.length === 0 || args.only.some((text) => name.includes(text));
  const results: Result[] = [];
  const measure = async (scenario: Scenario | undefined, name: string) => {
    const made = await compete(entries, scenario, name);
    results.push(...made);
    report(made);
  };
  console.log(`${threads} threads, ${Deno.build.target}`);
  const [load] = Deno.loadavg();
  if (load! > 0.5 * navigator.hardwareConcurrency) {
    console.log(
      `Other programs are running (load ${
        load!.toFixed(1)
      }): times are too long, and ratios are not those of a quiet machine`,
    );
  }
  console.log();
  for (const name of Object.keys(CEILINGS)) {
    if (args.layers || wanted(name)) await measure(undefined, name);
  }
  for (const scenario of args.layers ? [] : Object.values(SCENARIOS)) {
    for (const name of Object.keys(WORKLOADS)) {
      const trains = name.endsWith("step") || name.includes("step ");
      if (trains && scenario.batch === 0 || !wanted(`${scenario.name}: ${name}`)) continue;
      await measure(scenario, name);
    }
  }
  for (const name of Object.keys(KERNELS)) if (wanted(name)) await measure(undefined, name);
  console.log(`\n${(args.layers ? layerTable : summary)(results).join("\n")}`);
  if (args.json) await Deno.writeTextFile(args.json, `${JSON.stringify(results, null, 1)}\n`);
}

function engineEntries(threads: number): Entry[] {
  const found = findOpenvino(args.openvino);
  const openvino = "path" in found ? found.path : undefined;
  const labels = args.engines?.split(",") ??
    ["onnx", ...openvino ? ["openvino", "openvino:bf16"] : []];
  return labels.map((label) => {
    const [engine, precision] = label.split(":");
    const options = {
      engine,
      threads,
      ...precision && { precision },
      ...engine === "openvino" && { openvino },
    };
    const script = new URL("./engine_contestant.ts", import.meta.url).pathname;
    return {
      label,
      command: [Deno.execPath(), "run", "-A", script],
      load: (scenario) => Promise.resolve({ engine: options, scenario: scenario?.name }),
      peer: false,
    };
  });
}

function peerEntries(threads: number): Entry[] {
  const environment = Deno.env.get("VIRTUAL_ENV");
  const python = args.python ?? (environment ? `${environment}/bin/python` : "python3");
  const script = new URL("./peers/torch_peer.py", import.meta.url).pathname;
  const entry = (
    label: string,
    { channelsLast = true, compile = false, nameOf }:
      & { channelsLast?: boolean; compile?: boolean }
      & Pick<Entry, "nameOf">,
  ): Entry => ({
    label,
    command: [python, script],
    load: async (scenario) =>
      scenario && { folder: await arraysOf(scenario), threads, channelsLast, compile },
    ...nameOf && { nameOf },
    peer: true,
  });
  return [
    entry("torch", { channelsLast: false }),
    entry("torch, channels last", {}),
    // The order of the author's code.
    entry("torch, teacher twice", {
      nameOf: (name) => name === "distillation step" ? `${name}, teacher twice` : undefined,
    }),
    ...args.compile
      ? [entry("torch.compile", {
        compile: true,
        nameOf: (name) => name.includes("R1") ? undefined : name,
      })]
      : [],
  ];
}

const folders = new Map<Scenario, Promise<string>>();

function arraysOf(scenario: Scenario): Promise<string> {
  let folder = folders.get(scenario);
  if (!folder) {
    folder = writeArrays(scenarioArrays(scenario), scenarioNumbers(scenario));
    folders.set(scenario, folder);
  }
  return folder;
}

/** Lets all contestants run a workload, round after round. */
async function compete(
  entries: readonly Entry[],
  scenario: Scenario | undefined,
  workload: string,
): Promise<Result[]> {
  const rounds = Number(args.rounds ?? 5);
  const running: { entry: Entry; name: string; contestant: Contestant; timings: Timing[] }[] = [];
  for (const entry of entries) {
    const name = entry.nameOf ? entry.nameOf(workload) : workload;
    const load = name && await entry.load(scenario);
    if (!name || load === undefined) continue;
    const contestant = await openContestant(entry.command, load);
    const first = await contestant.run(name, 1);
    await contestant.run(name, 2); // memory is mapped, caches are warm
    running.push({ entry, name, contestant, timings: [first] });
  }
  // About half a second each time, so that a round is short against what else the machine does.
  for (let round = 0; round < rounds; round++) {
    for (const { contestant, name, timings } of running) {
      const count = Math.min(20, Math.max(1, Math.round(500 / timings.at(-1)!.ms.at(-1)!)));
      timings.push(await contestant.run(name, count));
    }
  }
  for (const { contestant } of running) await contestant.close();
  return running.map(({ entry, contestant, timings: [first, ...rest] }) => ({
    workload,
    scenario: scenario?.name ?? "",
    contestant: entry.label,
    name: contestant.name,
    peer: entry.peer,
    startMs: first!.ms[0]!,
    timing: {
      ...rest.at(-1)!,
      value: first!.value,
      ms: rest.flatMap(({ ms }) => ms),
      cpuMs: rest.flatMap(({ cpuMs }) => cpuMs),
    },
  }));
}

/** Whether two contestants computed the same, as far as their precision goes. */
function agrees(a: Result, b: Result): boolean {
  const loose = [a, b].some(({ contestant }) => contestant.includes("bf16"));
  const difference = Math.abs(a.timing.value - b.timing.value);
  return difference <= (loose ? 0.05 : 1e-3) * Math.max(1e-3, Math.abs(a.timing.value));
}

/** One line per contestant, as soon as it is known. */
function report(results: readonly Result[]): void {
  const [first] = results;
  if (!first) return;
  console.log([first.scenario, first.workload].filter(Boolean).join(": "));
  for (const result of results) {
    const { ms, value } = result.timing;
    const [least, most] = [sorted(ms)[0]!, sorted(ms).at(-1)!];
    const spread = `${median(ms).toFixed(1)} ms (${least.toFixed(1)} to ${most.toFixed(1)})`;
    const doubt = agrees(first, result)
      ? ""
      : `  differs: ${value} instead of ${first.timing.value}`;
    console.log(`  ${result.contestant.padEnd(20)} ${spread}${doubt}`);
  }
}

function summary(results: readonly Result[]): string[] {
  const groups = Map.groupBy(results, ({ scenario, workload }) => `${scenario}: ${workload}`);
  const rows = [...groups.values()].flatMap((group) => {
    const peers = group.filter(({ peer, contestant }) => peer && !contestant.endsWith("twice")).map(
      ({ timing }) => median(timing.ms),
    );
    const best = peers.length ? Math.min(...peers) : undefined;
    const flops = group.find(({ timing }) => timing.flops)?.timing.flops ?? 0;
    return group.map((result) => row(result, flops, best));
  });
  const head = [
    "workload",
    "on",
    "ms",
    "processor ms",
    "GFLOP/s",
    "start s",
    "peak MB",
    "times PyTorch",
  ];
  return table(head, rows);
}

function row(
  { scenario, workload, contestant, timing, startMs }: Result,
  flops: number,
  best?: number,
) {
  const ms = median(timing.ms);
  const rate = workload === "copies"
    ? `${gigabytesPerSecond(ms).toFixed(1)} GB/s`
    : flops
    ? (flops / ms / 1e6).toFixed(0)
    : "";
  return [
    [scenario, workload].filter(Boolean).join(": "),
    contestant,
    ms.toFixed(1),
    median(timing.cpuMs).toFixed(1),
    rate,
    ((startMs - ms) / 1000).toFixed(1),
    timing.peakMb.toFixed(0),
    best ? (best / ms).toFixed(2) : "",
  ];
}

try {
  await main();
} finally {
  for (const folder of folders.values()) await Deno.remove(await folder, { recursive: true });
}
