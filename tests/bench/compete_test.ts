import assert from "node:assert/strict";
import { takeTurns } from "../../bench/compete.ts";
import type { Timing } from "../../bench/contestant.ts";

const timing = (ms: readonly number[]): Timing => ({ ms, cpuMs: ms, value: 1, peakMb: 1 });

/** A racer that takes `ms` and logs who ran how often; it fails at its turn number `failsAt`. */
function racer(label: string, ms: number, log: string[], failsAt = Infinity) {
  let turn = 0;
  return {
    name: "step",
    entry: { label },
    timings: [timing([ms]), timing([ms])],
    contestant: {
      run(_: string, count: number) {
        if (++turn === failsAt) return Promise.reject(new Error("Cannot go on"));
        log.push(`${label} x${count}`);
        return Promise.resolve(timing(Array(count).fill(ms)));
      },
    },
  };
}

Deno.test("takeTurns() lets each run about half a second, in turn", async () => {
  const log: string[] = [];
  const racers = [racer("a", 100, log), racer("b", 1, log), racer("c", 4000, log)];
  const made = await takeTurns(racers, { rounds: 2, say: () => {} });
  assert.deepEqual(log, ["a x5", "b x20", "c x1", "a x5", "b x20", "c x1"]);
  assert.deepEqual(made.map(({ timings }) => timings.length), [4, 4, 4]);
});

Deno.test("takeTurns() lets who is slow be", async () => {
  const log: string[] = [];
  const made = await takeTurns([racer("slow", 20_000, log)], { rounds: 2, say: () => {} });
  assert.deepEqual(log, []);
  assert.equal(made.length, 1);
});

Deno.test("takeTurns() goes on without who fails, and says so", async () => {
  const log: string[] = [];
  const said: string[] = [];
  const racers = [racer("a", 500, log, 2), racer("b", 500, log)];
  const made = await takeTurns(racers, { rounds: 3, say: (line) => said.push(line) });
  assert.deepEqual(log, ["a x1", "b x1", "b x1", "b x1"]);
  assert.deepEqual(said, ['a is left out of "step": Cannot go on']);
  assert.deepEqual(made.map(({ entry }) => entry.label), ["b"]);
});
