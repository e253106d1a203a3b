/**
 * The teacher's batches of a step, with which lanes begin that would else wait for the end of the step
 * before it. The teacher does not change, so they are what the step itself would compute.
 *
 * @module
 */
import type { HostArray } from "../core/contracts.ts";
import { disposeArrays, type EngineArray } from "../engine/mod.ts";
import type { TeacherBatch } from "./distill_steps.ts";
import type { Latents } from "./latents.ts";

/** What a step draws at random. */
export interface Drawn {
  readonly step: number;
  readonly latents: Latents;
  readonly noise: readonly HostArray[];
}

type Batch = TeacherBatch<EngineArray>;

/** Batches of a step that were begun. */
export interface Begun {
  readonly drawn: Drawn;
  /** By the first image of their micro-batch. */
  readonly batches: ReadonlyMap<number, Promise<Batch>>;
}

/** What was begun of the next step. */
export interface TeacherAhead {
  /** What was begun of the step, once. */
  take(step: number): Begun | undefined;
  /** Keeps what was begun until the next step takes it. */
  put(begun: Begun | undefined): void;
  /** Waits for what nobody took, and gives it back. */
  end(): Promise<void>;
}

/** Nothing is begun yet. */
export function teacherAhead(): TeacherAhead {
  let kept: Begun | undefined;
  return {
    take(step) {
      if (kept?.drawn.step !== step) return undefined;
      const begun = kept;
      kept = undefined;
      return begun;
    },
    put(begun) {
      kept = begun;
    },
    async end() {
      const left = await Promise.allSettled(kept?.batches.values() ?? []);
      kept = undefined;
      left.forEach((made) => made.status === "fulfilled" && disposeArrays(made.value));
    },
  };
}
