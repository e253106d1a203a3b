/**
 * Programs of libraries that write results into our own memory, one run at a time in every lane.
 *
 * @module
 */
import type { HostArray } from "../core/contracts.ts";
import type { Executable, OpenOptions } from "./compiled.ts";
import { lend } from "./lent_arrays.ts";
import type { Program } from "./program.ts";
import { sizeOf } from "./rule.ts";

/** A compiled model, whose arrays are given in the order of the program. */
export interface BoundModel {
  /** Reads inputs and writes outputs, none of which must change meanwhile. */
  infer(
    lane: number,
    inputs: readonly HostArray[],
    outputs: readonly HostArray[],
  ): Promise<void>;
  free(): void;
}

/** Runs a model in its lanes, in turn; what stays with the engine is written again when it is given back. */
export function boundExecutable(
  { name, outputs, values }: Program,
  { resident, lanes }: OpenOptions,
  model: BoundModel,
): Executable {
  const shapes = outputs.map((id) => values[id]!.shape);
  // Of each lane its own: it is bound to them already, and its core may have them in its cache.
  const free = Array.from({ length: lanes }, () => shapes.map((): Float32Array[] => []));
  const last: Promise<unknown>[] = Array(lanes).fill(Promise.resolve());
  let next = 0;
  let released = false;
  const run = async (lane: number, inputs: readonly HostArray[]) => {
    const results = shapes.map((shape, i) => {
      const own = free[lane]![i]!;
      const data = own.pop() ?? new Float32Array(sizeOf(shape));
      if (resident[i]) lend(data, own);
      return { shape, data };
    });
    await model.infer(lane, inputs, results);
    return results;
  };
  return {
    run(inputs) {
      if (released) throw new Error(`Cannot run "${name}": expected it open but it was disposed`);
      const lane = next++ % lanes;
      const turn = last[lane]!.then(() => run(lane, inputs));
      last[lane] = turn.catch(() => {});
      return turn;
    },
    async release() {
      released = true;
      await Promise.all(last);
      model.free();
    },
  };
}
