/**
 * Rewrites of a recorded program, each `Program -> Program` with the same results.
 *
 * @module
 */
import type { Program } from "../program.ts";
import { broadcast } from "./broadcast.ts";
import { deduplicate } from "./deduplicate.ts";
import { fold } from "./fold.ts";
import { merge } from "./merge.ts";
import { prune } from "./prune.ts";

/** The rewrites by name, each on its own. */
export const passes: Readonly<Record<string, (program: Program) => Program>> = {
  prune,
  fold,
  merge,
  broadcast,
  deduplicate,
};

/** All rewrites, twice: each makes work for the others. */
export function simplify(program: Program): Program {
  const once = (program: Program) => deduplicate(broadcast(merge(fold(prune(program)))));
  return prune(fold(once(once(program))));
}
