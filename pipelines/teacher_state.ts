/**
 * What changes in a teacher's training: generator and discriminator with their optimisers.
 *
 * @module
 */
import type { HostArray, Weights } from "../core/contracts.ts";
import { zerosLike } from "../core/host_array.ts";
import { prefixed, under } from "../core/params.ts";
import { type EngineArray, readArrays } from "../engine/mod.ts";
import type { Run } from "../io/run_folder.ts";
import type { NetworkState } from "./teacher_steps.ts";

/** Everything that changes, wherever the engine keeps it. */
export interface TeacherState {
  generator: NetworkState<EngineArray>;
  average: EngineArray;
  discriminator: NetworkState<EngineArray>;
}

/** The state before the first step. */
export function initialState(generator: HostArray, critic: HostArray): TeacherState {
  return {
    generator: { weights: generator, power: zerosLike(generator) },
    average: generator,
    discriminator: { weights: critic, power: zerosLike(critic) },
  };
}

/** The state as a checkpoint's arrays, read from the device. */
export async function checkpointArrays(state: TeacherState): Promise<Weights> {
  const { generator, average, discriminator } = await readArrays(state);
  return {
    average,
    ...prefixed(generator, "generator"),
    ...prefixed(discriminator, "discriminator"),
  };
}

/** The state of the checkpoint from which a run goes on; nothing in a new run. */
export function restoreState({ resumed }: Run): TeacherState | undefined {
  if (!resumed) return undefined;
  const { arrays } = resumed;
  return {
    generator: under(arrays, "generator") as unknown as TeacherState["generator"],
    average: arrays["average"]!,
    discriminator: under(arrays, "discriminator") as unknown as TeacherState["discriminator"],
  };
}
