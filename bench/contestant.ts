/**
 * One engine or peer in a process of its own, so that its memory is its own and rounds can take
 * turns. Commands and answers are JSON, one a line:
 *
 * - `{ "load": ... }` makes everything ready to run and answers `{ name }`;
 * - `{ "run": workload, "count": n }` answers `{ ms, cpuMs, value, peakMb, flops?, bytes? }`.
 *
 * @module
 */

/** What a contestant answers to a run. */
export interface Timing {
  /** Milliseconds of each run. */
  readonly ms: readonly number[];
  /** Milliseconds of processor time of each run, of all threads. */
  readonly cpuMs: readonly number[];
  /** What the first run computed: all contestants must agree. */
  readonly value: number;
  /** Largest resident memory of the process so far, in MB. */
  readonly peakMb: number;
  /** Floating-point operations of a run, where they are counted. */
  readonly flops?: number;
  /** Bytes that a run must move at least, where they are counted. */
  readonly bytes?: number;
}

/** A running contestant. */
export interface Contestant {
  /** What it calls itself. */
  readonly name: string;
  run(workload: string, count: number): Promise<Timing>;
  close(): Promise<void>;
}

/** Starts a process and loads it. */
export async function openContestant(
  command: readonly [string, ...string[]],
  load: unknown,
): Promise<Contestant> {
  const [program, ...args] = command;
  const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  const ask = async (question: unknown) => {
    await writer.write(new TextEncoder().encode(`${JSON.stringify(question)}\n`));
    while (!buffer.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`Cannot go on with ${program}: its process has ended`);
      buffer += value;
    }
    const end = buffer.indexOf("\n");
    const answer = JSON.parse(buffer.slice(0, end));
    buffer = buffer.slice(end + 1);
    return answer;
  };
  const { name } = await ask({ load });
  return {
    name,
    run: (run, count) => ask({ run, count }),
    async close() {
      await writer.close();
      await reader.cancel();
      await child.status;
    },
  };
}
