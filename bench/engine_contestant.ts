/** Runs our engines for `contestant.ts`. */
import process from "node:process";
import type { Phases } from "./contestant.ts";
import { createEngine, type Engine, type EngineOptions } from "../engine/mod.ts";
import { countOperations, countOuterBytes } from "./flops.ts";
import { CEILINGS, KERNELS } from "./kernels.ts";
import { scenarioArrays, SCENARIOS } from "./scenarios.ts";
import type { Workload } from "./workload.ts";
import { WORKLOADS } from "./workloads.ts";

interface Load {
  readonly engine: EngineOptions;
  /** Absent: workloads are kernels and layers. */
  readonly scenario?: string;
}

async function main(): Promise<void> {
  let engine: Engine | undefined;
  let find: (name: string) => Workload = () => {
    throw new Error("Cannot run before loading");
  };
  const made = new Map<string, Workload>();
  const obey = async (command: { load: Load } | { run: string; count: number }) => {
    if ("load" in command) {
      const { engine: options, scenario: name } = command.load;
      const opened = engine = await createEngine(options);
      const scenario = name === undefined ? undefined : SCENARIOS[name]!;
      const arrays = scenario && scenarioArrays(scenario);
      find = (workload) =>
        scenario
          ? WORKLOADS[workload]!(opened, scenario, arrays!)
          : { ...CEILINGS, ...KERNELS }[workload]!(opened);
      return { name: opened.description };
    }
    const { run, count } = command;
    let workload = made.get(run);
    if (!workload) made.set(run, workload = find(run));
    return await time(workload, count);
  };
  for await (const line of lines(Deno.stdin.readable)) {
    answer(await obey(JSON.parse(line)).catch((error: Error) => ({ error: error.message })));
  }
  await engine?.dispose();
}

async function time(workload: Workload, count: number) {
  const ms: number[] = [];
  const cpuMs: number[] = [];
  let value: number | undefined;
  for (let i = 0; i < count; i++) {
    const used = process.cpuUsage();
    const start = performance.now();
    const result = await workload.run();
    ms.push(performance.now() - start);
    const { user, system } = process.cpuUsage(used);
    cpuMs.push((user + system) / 1000);
    value ??= result;
  }
  const peakMb = await findPeakMb();
  const phases = takePhases();
  const programs = await workload.programs();
  const operations = programs.flatMap(countOperations);
  const outerBytes = programs.reduce((sum, each) => sum + countOuterBytes(each), 0);
  return { ms, cpuMs, value, peakMb, operations, outerBytes, ...phases.trace > 0 && { phases } };
}

/** Largest resident memory; Linux's `maxRSS` may be that of the process which started this one. */
async function findPeakMb(): Promise<number> {
  const status = await Deno.readTextFile("/proc/self/status").catch(() => "");
  const kilobytes = /^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS;
  return Number(kilobytes) / 1024;
}

/** What the engine measured of its phases so far. */
function takePhases(): Phases {
  const entries = (["trace", "lower", "open"] as const).flatMap((kind) =>
    performance.getEntriesByName(`haarlem:${kind}`)
  );
  const sum = (kind: string) =>
    entries.reduce((ms, { name, duration }) => ms + (name.endsWith(kind) ? duration : 0), 0);
  const phases = {
    trace: sum("trace"),
    lower: sum("lower"),
    open: sum("open"),
    together: timeOf(entries),
  };
  performance.clearMeasures();
  return phases;
}

/** Milliseconds in which at least one of them was under way. */
function timeOf(entries: readonly PerformanceEntry[]): number {
  let [time, until] = [0, 0];
  for (const { startTime, duration } of entries.toSorted((a, b) => a.startTime - b.startTime)) {
    const end = startTime + duration;
    time += Math.max(0, end - Math.max(startTime, until));
    until = Math.max(until, end);
  }
  return time;
}

function answer(value: unknown): void {
  console.log(JSON.stringify(value));
}

async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let buffer = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const pieces = (buffer + text).split("\n");
    buffer = pieces.pop()!;
    yield* pieces;
  }
}

await main();
