/**
 * One engine or peer in a process of its own, so that its memory is its own and rounds can take
 * turns. Commands and answers are JSON, one a line:
 *
 * - `{ "load": ... }` makes everything ready to run and answers `{ name }`;
 * - `{ "run": workload, "count": n }` answers `{ ms, cpuMs, value, peakMb, operations?, outerBytes?,
 *   phases? }`;
 * - what cannot be done answers `{ error }`, a sentence.
 *
 * @module
 */

import type { OperationCost } from "./flops.ts";

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
  /** What each operation of a run must do at least, where it is counted. */
  readonly operations?: readonly OperationCost[];
  /** Bytes that one kernel for everything must move at least, where they are counted. */
  readonly outerBytes?: number;
  /** What went before the first run, where it is known. */
  readonly phases?: Phases;
}

/** Milliseconds of what goes before a first run, the sums over its graphs. */
export interface Phases {
  /** Recording the function with its gradients, twice, and simplifying the program. */
  readonly trace: number;
  /** Writing it as an ONNX model. */
  readonly lower: number;
  /** Making the library's session of it. */
  readonly open: number;
  /** All of it: a graph is recorded while a library opens another. */
  readonly together: number;
}

/** A running contestant. */
export interface Contestant {
  /** What it calls itself. */
  readonly name: string;
  run(workload: string, count: number): Promise<Timing>;
  close(): Promise<void>;
}

/** Options of {@linkcode openContestant}. */
export interface ContestantOptions {
  /** Names it in errors. */
  readonly label: string;
  readonly command: readonly [string, ...string[]];
  /** What it is told to load. */
  readonly load: unknown;
  /** How long it may take to answer. */
  readonly limitSeconds: number;
}

/**
 * Starts a process and loads it.
 *
 * @throws {Error} One sentence, here and in every run, if it cannot do what it is told, ends or is
 *   too slow.
 */
export async function openContestant(
  { label, command: [program, ...args], load, limitSeconds }: ContestantOptions,
): Promise<Contestant> {
  const child = spawn(label, program, args);
  const writer = child.stdin.getWriter();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const complaint = lastLine(child.stderr);
  let buffer = "";

  const answer = async () => {
    while (!buffer.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`its process ended${await complaint}`);
      buffer += value;
    }
    const end = buffer.indexOf("\n");
    const parsed = JSON.parse(buffer.slice(0, end));
    buffer = buffer.slice(end + 1);
    return parsed;
  };
  const ask = async (what: string, question: unknown) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, 1000 * limitSeconds);
    const failed = (problem: string) =>
      new Error(
        problem.startsWith("Cannot ") ? problem : `Cannot ${what} on "${label}": ${problem}`,
      );
    try {
      await writer.write(new TextEncoder().encode(`${JSON.stringify(question)}\n`));
      const answered = await answer();
      if (answered.error) throw new Error(answered.error);
      return answered;
    } catch (error) {
      if (late) {
        throw failed(`expected an answer within ${limitSeconds} s but received none; see --limit`);
      }
      const ended = error instanceof Deno.errors.BrokenPipe;
      throw failed(ended ? `its process ended${await complaint}` : (error as Error).message);
    } finally {
      clearTimeout(timer);
    }
  };
  const close = async () => {
    await writer.close().catch(() => {}); // it may have ended
    await reader.cancel();
    await child.status;
  };
  try {
    const { name } = await ask("begin", { load });
    return { name, run: (run, count) => ask(`run "${run}"`, { run, count }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function spawn(label: string, program: string, args: readonly string[]) {
  const pipes = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
  try {
    return new Deno.Command(program, { args: [...args], ...pipes }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(`Cannot begin on "${label}": expected the program "${program}" but found none`);
  }
}

/** The last line that is written there, as an end of a sentence. */
async function lastLine(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    text = (text + piece).slice(-4096);
  }
  const line = text.trim().split("\n").at(-1);
  return line ? ` and said "${line}"` : "";
}
