import { Writable } from "node:stream";
import type { Process } from "../../cli/run_command_line.ts";

/** A process without a terminal of its own: it remembers what was written. */
export interface FakeProcess extends Process {
  readonly out: string[];
  readonly err: string[];
  /** What the bar drew, control codes included. */
  readonly drawn: string[];
  readonly exits: number[];
  /** Milliseconds that {@linkcode Process.terminal} says. */
  time: number;
  /** Whether the command gave up its permissions; this process keeps them. */
  confined: boolean;
  interrupt(): void;
}

/** Makes one; `isTerminal` gives it a stream for a bar. */
export function fakeProcess({ isTerminal = false } = {}): FakeProcess {
  const [out, err, drawn]: string[][] = [[], [], []];
  const exits: number[] = [];
  const callbacks = new Set<() => void>();
  const stream = new Writable({
    write(chunk, _encoding, done) {
      drawn!.push(String(chunk));
      done();
    },
  });
  const fake: FakeProcess = {
    out: out!,
    err: err!,
    drawn: drawn!,
    exits,
    time: 0,
    confined: false,
    interrupt() {
      for (const callback of callbacks) callback();
    },
    terminal: {
      print: (line) => out!.push(line),
      warn: (line) => err!.push(line),
      bar: isTerminal ? Object.assign(stream, { isTTY: true, columns: 120 }) : undefined,
      now: () => fake.time,
    },
    onInterrupt(callback) {
      callbacks.add(callback);
      return () => callbacks.delete(callback);
    },
    confine() {
      fake.confined = true;
      return Promise.resolve();
    },
    exit: (code) => exits.push(code),
  };
  return fake;
}
