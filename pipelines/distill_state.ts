/**
 * What changes in a distillation: the student and the discriminator with their optimisers.
 *
 * @module
 */
import type { HostArray, Weights } from "../core/contracts.ts";
import { zerosLike } from "../core/host_array.ts";
import type { AdamState } from "../core/optimiser.ts";
import { prefixed, under } from "../core/params.ts";
import { type EngineArray, readArrays } from "../engine/mod.ts";
import type { Run } from "../io/run_folder.ts";
import type { StudentState } from "./distill_steps.ts";

/** Everything that changes, wherever the engine keeps it; a step replaces the members. */
export interface DistillState {
  student: StudentState<EngineArray>;
  discriminator: AdamState<EngineArray>;
}

const newAdam = (weights: HostArray): AdamState<HostArray> => ({
  weights,
  mean: zerosLike(weights),
  power: zerosLike(weights),
});

/** The state before the first step, or that of the checkpoint from which a run goes on. */
export function startingState(
  { resumed }: Pick<Run, "resumed">,
  weights: { readonly student: HostArray; readonly discriminator: HostArray },
  { average }: { readonly average: boolean },
): DistillState {
  if (resumed) {
    return {
      student: under(resumed.arrays, "student") as unknown as StudentState<HostArray>,
      discriminator: under(resumed.arrays, "discriminator") as unknown as AdamState<HostArray>,
    };
  }
  return {
    student: { ...newAdam(weights.student), ...average && { average: weights.student } },
    discriminator: newAdam(weights.discriminator),
  };
}

/** The state as a checkpoint's arrays, read from the device. */
export async function checkpointArrays(state: DistillState): Promise<Weights> {
  const { student, discriminator } = await readArrays(state);
  return {
    ...prefixed(student as unknown as Weights, "student"),
    ...prefixed(discriminator as unknown as Weights, "discriminator"),
  };
}
