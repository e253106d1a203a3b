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
/** Batches by the first image of their micro-batch. */
export type Batches = ReadonlyMap<number, Promise<Batch>>;

/** Batches of a step that were begun. */
export interface Begun {
  readonly drawn: Drawn;
  readonly batches: Batches;
}

/** What was begun of the next step. */
export interface TeacherAhead {
  /** What the step draws, if its batches were begun. */
  drawn(step: number): Drawn | undefined;
  /** The batches that were begun for the step, once. */
  take(step: number): Batches;
  /** Keeps what was begun until the next step takes it. */
  put(begun: Begun | undefined): void;
  /** Waits for what nobody took, and gives it back. */
  end(): Promise<void>;
}

/** Nothing is begun yet. */
export function teacherAhead(): TeacherAhead {
  let kept: Begun | undefined;
  const of = (step: number) => kept?.drawn.step === step ? kept : undefined;
  return {
    drawn: (step) => of(step)?.drawn,
    take(step) {
      const batches = of(step)?.batches;
      if (batches) kept = undefined;
      return batches ?? new Map();
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
