/** Taking turns. @module */
import { type Contestant, openContestant, type Timing } from "./contestant.ts";
import type { Entry } from "./entries.ts";
import type { Result } from "./result.ts";
import type { Scenario } from "./scenarios.ts";

/** Options of {@linkcode compete}. */
export interface CompeteOptions {
  readonly scenario: Scenario | undefined;
  readonly workload: string;
  /** 0: the first run only. */
  readonly rounds: number;
  /** How long a contestant may take to answer. */
  readonly limitSeconds: number;
  /** Told who had to be left out, and why. */
  readonly say: (line: string) => void;
}

/** A round takes each about this long, so that it is short against what else the machine does. */
const ROUND_MS = 500;
/** One whose warm run takes longer than this has no other round than that. */
const SLOW_MS = 10_000;

/** A contestant and what it did. */
interface Turn {
  readonly entry: Entry;
  readonly name: string;
  readonly contestant: Contestant;
  readonly timings: Timing[];
}

/** What {@linkcode takeTurns} needs of a turn. */
interface Racer extends Pick<Turn, "name" | "timings"> {
  readonly entry: Pick<Entry, "label">;
  readonly contestant: Pick<Contestant, "run">;
}

const leftOut = (label: string, workload: string, error: unknown) =>
  `${label} is left out of "${workload}": ${(error as Error).message}`;

/** Lets all contestants run a workload, round after round; those that fail are left out. */
export async function compete(
  entries: readonly Entry[],
  options: CompeteOptions,
): Promise<Result[]> {
  const turns: Turn[] = [];
  try {
    for (const entry of entries) {
      const turn = await begin(entry, options);
      if (turn) turns.push(turn);
    }
    return (await takeTurns(turns, options)).map((turn) => resultOf(turn, options));
  } finally {
    for (const { contestant } of turns) await contestant.close();
  }
}

async function begin(entry: Entry, options: CompeteOptions): Promise<Turn | undefined> {
  const { scenario, workload, limitSeconds, say } = options;
  const { label, command } = entry;
  const name = entry.nameOf ? entry.nameOf(workload) : workload;
  const load = name && await entry.load(scenario);
  if (!name || load === undefined) return undefined;
  let contestant: Contestant | undefined;
  try {
    contestant = await openContestant({ label, command, load, limitSeconds });
    const first = await contestant.run(name, 1);
    if (options.rounds === 0) return { entry, name, contestant, timings: [first] };
    // Memory is mapped and caches are warm when a run is not much faster than the one before it.
    let [last, second] = [first, await contestant.run(name, 1)];
    for (let more = 0; more < 3 && second.ms[0]! < 0.5 * last.ms[0]!; more++) {
      [last, second] = [second, await contestant.run(name, 1)];
    }
    return { entry, name, contestant, timings: [first, second] };
  } catch (error) {
    say(leftOut(label, workload, error));
    await contestant?.close();
    return undefined;
  }
}

/** Rounds after the first two runs; gives those that are left. */
export async function takeTurns<T extends Racer>(
  turns: readonly T[],
  { rounds, say }: Pick<CompeteOptions, "rounds" | "say">,
): Promise<T[]> {
  const failed = new Set<T>();
  for (let round = 0; round < rounds; round++) {
    for (const turn of turns) {
      const last = turn.timings.at(-1)!.ms.at(-1)!;
      if (last > SLOW_MS || failed.has(turn)) continue;
      const count = Math.min(20, Math.max(1, Math.round(ROUND_MS / last)));
      try {
        turn.timings.push(await turn.contestant.run(turn.name, count));
      } catch (error) {
        say(leftOut(turn.entry.label, turn.name, error));
        failed.add(turn);
      }
    }
  }
  return turns.filter((turn) => !failed.has(turn));
}

function resultOf(
  { entry, contestant, timings }: Turn,
  { scenario, workload }: CompeteOptions,
): Result {
  const [first, second, ...more] = timings;
  const rest = more.length ? more : second ? [second] : [];
  const { peakMb, operations, outerBytes } = timings.at(-1)!;
  return {
    workload,
    scenario: scenario?.name ?? "",
    contestant: entry.label,
    name: contestant.name,
    ...entry.reference !== undefined && { reference: entry.reference },
    startMs: first!.ms[0]!,
    ...first!.phases && { phases: first!.phases },
    value: first!.value,
    peakMb,
    ...operations && { operations },
    ...outerBytes !== undefined && { outerBytes },
    rounds: rest.map(({ ms, cpuMs }) => ({ ms, cpuMs })),
  };
}
